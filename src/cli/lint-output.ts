import { pathToFileURL } from 'node:url';
import about from '../../package.json' with { type: 'json' };
import type { LintEnd, LintedHost, LintReport, LintRun } from '../reports/formats/report.ts';
import type { RulePage } from '../rules/rule.ts';
import { UsageError } from './errors.ts';
import { LINT_FORMATS, type LintFormat, listOf, type Request, textOf } from './options.ts';
import { out } from './terminal.ts';

/** What goes where: a format on standard output, or none, and formats in files. */
export interface OutputPlan {
  readonly standard: LintFormat | null;
  readonly files: readonly { readonly format: LintFormat; readonly path: string }[];
}

const SUFFIXES: Readonly<Record<string, LintFormat>> = {
  json: 'json',
  ndjson: 'ndjson',
  sarif: 'sarif',
  md: 'markdown',
  html: 'html',
};

/**
 * What `--format` and `--output` ask for. `--output FORMAT=FILE` names its format; `--output FILE` takes that of
 * `--format`, which then is not printed, and without one that of its suffix.
 *
 * @throws UsageError where the format of a file is not known, or two reports would go into one file
 */
export function outputPlan({ given }: Request): OutputPlan {
  const format = textOf(given, 'format') as LintFormat | undefined;
  let standard: LintFormat | null = format ?? 'text';
  const files = listOf(given, 'output').map((value): OutputPlan['files'][number] => {
    const [, name = '', rest = ''] = /^([a-z]+)=(.+)$/s.exec(value) ?? [];
    if ((LINT_FORMATS as readonly string[]).includes(name)) return { format: name as LintFormat, path: rest };
    if (format !== undefined) {
      standard = null;
      return { format, path: value };
    }
    const suffix = SUFFIXES[/\.([a-z]+)$/.exec(value)?.[1] ?? ''];
    if (suffix === undefined)
      throw new UsageError(`--output ${value}: write FORMAT=${value}, or give --format`, 'lint');
    return { format: suffix, path: value };
  });
  const twice = files.find(({ path }, index) => files.findIndex((other) => other.path === path) !== index);
  if (twice !== undefined)
    throw new UsageError(`--output ${twice.path}: two reports cannot go into one file`, 'lint');
  return { standard, files };
}

/** One report and where it goes. */
interface Target {
  readonly report: LintReport;
  readonly write: (text: string) => void;
  readonly finish: () => void;
}

/** The reports of a run beside the text for the terminal, each written as the hosts come in. */
export class LintOutputs {
  readonly #targets: Target[] = [];
  readonly #abandon: (() => void)[] = [];
  /** A format shows the diff of the fixes. */
  readonly diff: boolean;
  /** A format shows a host as a page does. */
  readonly view: boolean;

  private constructor(plan: OutputPlan) {
    const formats = [plan.standard, ...plan.files.map(({ format }) => format)];
    this.view = formats.includes('html');
    this.diff = this.view || formats.includes('markdown');
  }

  /**
   * Opens all files, so that one that cannot be written is said before the work.
   *
   * @param own rules of the user, whose pages a format may show
   * @throws InputError
   */
  static async open(
    plan: OutputPlan,
    run: Pick<LintRun, 'profile' | 'failOn' | 'shard'>,
    own: readonly RulePage[],
  ): Promise<LintOutputs | null> {
    const formats = [
      ...(plan.standard === null || plan.standard === 'text' ? [] : [plan.standard]),
      ...plan.files.map(({ format }) => format),
    ];
    if (formats.length === 0) return null;
    const outputs = new LintOutputs(plan);
    const pages = formats.some((format) => format === 'sarif' || format === 'html')
      ? [...(await import('virtual:builtin-rule-pages')).pages, ...own]
      : [];
    const base = `${pathToFileURL(process.cwd()).href}/`;
    const byId = new Map(pages.map((page) => [page.id, page]));
    const whole = { ...run, version: about.version, base, pages: byId };
    if (plan.standard !== null && plan.standard !== 'text')
      outputs.#targets.push({ report: await reportOf(plan.standard, whole), write: out, finish: () => {} });
    if (plan.files.length > 0) {
      const { onInterrupt, OutputFile } = await import('./output-file.ts');
      onInterrupt(() => outputs.abandon());
      for (const { format, path } of plan.files) {
        if (format === 'text')
          throw new UsageError('--output text=FILE: redirect standard output for the text', 'lint');
        try {
          const file = new OutputFile(path);
          outputs.#abandon.push(() => file.abandon());
          outputs.#targets.push({
            report: await reportOf(format, whole),
            write: (text) => file.write(text),
            finish: () => file.finish(),
          });
        } catch (error) {
          outputs.abandon();
          throw error;
        }
      }
    }
    return outputs;
  }

  /** @throws InputError, as the calls below do: `abandon` is then to be called */
  start(): void {
    for (const { report, write } of this.#targets) write(report.start());
  }

  host(host: LintedHost, position: number): void {
    for (const { report, write } of this.#targets) write(report.host(host, position));
  }

  end(end: LintEnd): void {
    for (const { report, write } of this.#targets) write(report.end(end));
    for (const { finish } of this.#targets) finish();
  }

  /** Something went wrong: files stay what they were. */
  abandon(): void {
    for (const each of this.#abandon) each();
  }
}

/** A report in a format; the page with its templates is loaded only where it is asked for. */
async function reportOf(format: Exclude<LintFormat, 'text'>, run: LintRun): Promise<LintReport> {
  if (format === 'html') {
    const { HtmlReport } = await import('../reports/html/lint-report.ts');
    return new HtmlReport(run);
  }
  const { FORMATS } = await import('../reports/formats/index.ts');
  return FORMATS[format](run);
}
