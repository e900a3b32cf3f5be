/**
 * Entries of the systemd journal as `journalctl -o json` and `-o export` write them (systemd.journal-fields(7),
 * "Journal Export Formats"): one object in a line, or fields in lines with an empty line behind each entry.
 */

/** What of an entry is needed to understand it as a line of a log. */
export interface JournalEntry {
  readonly host: string;
  readonly ident: string;
  readonly pid: number;
  readonly message: string;
  /** When it was written: seconds since 1970. */
  readonly seconds: number;
}

/** Whether a line can be a field of the export format. */
export function isExportField(text: string): boolean {
  return /^[A-Z_][A-Z0-9_]*=/.test(text);
}

/** Fields of the export format as they come in. */
export class ExportReader {
  #fields: Record<string, string> = {};
  #any = false;

  /** An entry is under way. */
  get begun(): boolean {
    return this.#any;
  }

  /** Takes a line; one that is no field (a part of a binary one) is passed over. */
  field(line: string): void {
    const at = line.indexOf('=');
    this.#any = true;
    if (isExportField(line)) this.#fields[line.slice(0, at)] = line.slice(at + 1);
  }

  /** The entry that an empty line ends; null where it says too little. */
  finish(): JournalEntry | null {
    const fields = this.#fields;
    this.#fields = {};
    this.#any = false;
    return entry(fields);
  }
}

/** The entry of a line of JSON; null where it is none. */
export function journalJson(line: string): JournalEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  return entry(value as Readonly<Record<string, unknown>>);
}

function entry(fields: Readonly<Record<string, unknown>>): JournalEntry | null {
  const text = (name: string): string => {
    const value = fields[name];
    // What is no UTF-8 comes as an array of bytes.
    if (Array.isArray(value)) return String.fromCharCode(...value.map(Number));
    return typeof value === 'string' ? value : '';
  };
  const stamp = Number(text('__REALTIME_TIMESTAMP') || text('_SOURCE_REALTIME_TIMESTAMP'));
  const ident = text('SYSLOG_IDENTIFIER') || text('_COMM');
  const message = text('MESSAGE');
  if (!(stamp > 0) || ident === '' || message === '') return null;
  return {
    host: text('_HOSTNAME'),
    ident,
    pid: Number(text('SYSLOG_PID') || text('_PID')) || 0,
    message,
    seconds: Math.floor(stamp / 1e6),
  };
}
