import { TEMPLATE_HELPERS, type Template } from './messages.ts';

/**
 * A message template as data, made of it when the program is built (src/build/message-code.ts). Handlebars
 * would make a function of each, and to load a thousand of these takes longer than to judge a host.
 */
export type MessageCode = readonly Piece[];

/** The two sentences of a message. */
export interface RuleMessage {
  readonly text: MessageCode;
  readonly advice: MessageCode;
}

/** Text as it stands, or what stands for text. */
type Piece =
  | string
  | readonly ['value', path: string]
  | readonly ['call', helper: string, operands: readonly Operand[]]
  | readonly ['if', Operand, MessageCode, otherwise: MessageCode]
  | readonly ['each', Operand, MessageCode];

/** The path of a value, a word or number as it stands, or what a helper makes. */
export type Operand =
  | string
  | readonly ['is', string | number]
  | readonly ['call', helper: string, operands: readonly Operand[]];

/** Whether this is the first of those that `each` goes through. */
export const FIRST = '@first';

/** The template that is written so. */
export function templateOf(code: MessageCode): Template {
  return (data) => rendered(code, data, false);
}

function rendered(code: MessageCode, context: unknown, first: boolean): string {
  let text = '';
  for (const piece of code) text += typeof piece === 'string' ? piece : shown(piece, context, first);
  return text;
}

function shown(piece: Exclude<Piece, string>, context: unknown, first: boolean): string {
  if (piece[0] === 'if') {
    const [, condition, then, otherwise] = piece;
    const value = valueOf(condition, context, first);
    const holds = Array.isArray(value) ? value.length > 0 : Boolean(value);
    return rendered(holds ? then : otherwise, context, first);
  }
  if (piece[0] === 'each') {
    const [, operand, code] = piece;
    const list = valueOf(operand, context, first);
    if (!Array.isArray(list))
      throw new TypeError(`what a message goes through is no list: ${String(operand)}`);
    return list.map((each, index) => rendered(code, each, index === 0)).join('');
  }
  const value = piece[0] === 'value' ? present(context, piece[1]) : valueOf(piece, context, first);
  if (typeof value === 'string') return value;
  // oxlint-disable-next-line typescript/no-base-to-string -- a message has no objects, and lists as they are
  return value === null || value === undefined ? '' : String(value);
}

/** A value that a message names has to be there. */
function present(context: unknown, path: string): unknown {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  const holder = parts.length === 0 ? context : at(context, parts);
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, last))
    throw new Error(`"${path}" is not among the data of the message`);
  return at(holder, [last]);
}

function at(context: unknown, parts: readonly string[]): unknown {
  return parts.reduce((value, part) => (value as Readonly<Record<string, unknown>>)[part], context);
}

function valueOf(operand: Operand, context: unknown, first: boolean): unknown {
  if (operand === FIRST) return first;
  if (typeof operand === 'string') return at(context, operand.split('.'));
  if (operand[0] === 'is') return operand[1];
  const [, name, operands] = operand;
  const helper = TEMPLATE_HELPERS[name];
  if (helper === undefined) throw new Error(`no helper: ${name}`);
  return helper(...operands.map((each) => valueOf(each, context, first)));
}
