// A strict reader of the XML that reports write: elements, attributes and text, nothing else of XML 1.0. It
// refuses what a parser of a build server refuses.

/** An element with what it holds. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Char of XML 1.0 section 2.2. */
const ALLOWED = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Reads a document; throws where it is not well-formed. */
export function readXml(document: string): XmlElement {
  if (!ALLOWED.test(document)) throw new Error('a character that XML forbids');
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`${what} at ${at}: ${JSON.stringify(document.slice(at, at + 30))}`);
  };
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const sticky = new RegExp(pattern.source, `${pattern.flags}y`);
    sticky.lastIndex = at;
    const found = sticky.exec(document);
    if (found !== null) at = sticky.lastIndex;
    return found;
  };
  const decoded = (text: string): string =>
    text.replace(
      /&(?:#(\d+)|(\w+));|[&<]/g,
      (whole, number: string | undefined, name: string | undefined) => {
        if (number !== undefined) return String.fromCodePoint(Number(number));
        return (name === undefined ? undefined : NAMED[name]) ?? fail(`a bare ${whole}`);
      },
    );
  const element = (): XmlElement => {
    const name = take(/<([A-Za-z][\w-]*)/)?.[1] ?? fail('no element');
    const attributes: Record<string, string> = {};
    for (;;) {
      const found = take(/\s+([A-Za-z][\w-]*)="([^"<]*)"/);
      if (found === null) break;
      const [, key = '', value = ''] = found;
      if (key in attributes) fail(`${key} twice`);
      attributes[key] = decoded(value);
    }
    if (take(/\/>/) !== null) return { name, attributes, children: [], text: '' };
    if (take(/>/) === null) fail('no end of a tag');
    const children: XmlElement[] = [];
    let text = '';
    for (;;) {
      text += decoded(take(/[^<]*/)?.[0] ?? '');
      const end = take(/<\/([A-Za-z][\w-]*)>/);
      if (end !== null) return end[1] === name ? { name, attributes, children, text } : fail('another end');
      children.push(element());
    }
  };
  if (take(/<\?xml version="1\.0" encoding="UTF-8"\?>\n/) === null) fail('no declaration');
  const root = element();
  if (document.slice(at).trim() !== '') fail('more');
  return root;
}
