import { type DefaultTreeAdapterMap, html as names, parse } from 'parse5';

/** An element of a page with what the tests ask of it. */
export interface HtmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly HtmlElement[];
  /** All text in it, in order. */
  readonly text: string;
}

/** Errors of characters that stand for nothing and do nothing. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  'noncharacter-in-input-stream',
  'surrogate-in-input-stream',
]);

type Node = DefaultTreeAdapterMap['node'];

/**
 * Reads a page as browsers do.
 *
 * @throws Error where the standard calls something a parse error
 */
export function readHtml(page: string): HtmlElement {
  const errors: string[] = [];
  const document = parse(page, {
    onParseError: ({ code, startLine }) => {
      if (!MEANINGLESS.has(code)) errors.push(`${code} in line ${startLine}`);
    },
  });
  if (errors.length > 0) throw new Error(errors.join(', '));
  const root = document.childNodes.find((node) => node.nodeName === 'html');
  if (root === undefined || !('tagName' in root)) throw new Error('no element html');
  return element(root);
}

function element(node: DefaultTreeAdapterMap['element']): HtmlElement {
  const children = 'content' in node ? (node.content as { childNodes: Node[] }).childNodes : node.childNodes;
  return {
    name: node.namespaceURI === names.NS.SVG ? `svg:${node.tagName}` : node.tagName,
    attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
    children: children.flatMap((child) => ('tagName' in child ? [element(child)] : [])),
    text: children.map(textOf).join(''),
  };
}

function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** The elements below one, itself included, in the order of the page. */
export function everyElement(root: HtmlElement): readonly HtmlElement[] {
  return [root, ...root.children.flatMap(everyElement)];
}

/** Those of a class. */
export function ofClass(root: HtmlElement, name: string): readonly HtmlElement[] {
  return everyElement(root).filter(({ attributes }) => attributes.class?.split(' ').includes(name) === true);
}
