import Handlebars from 'handlebars';
import { FIRST, type MessageCode, type Operand } from '../rules/message-code.ts';
import { TEMPLATE_HELPERS } from '../rules/messages.ts';

/**
 * Makes data of a message template.
 *
 * @throws Error for what messages do without: other blocks, hashes, partials, paths that go up
 */
export function messageCode(template: string): MessageCode {
  return codeOf(Handlebars.parse(template));
}

function codeOf(program: hbs.AST.Program | undefined): MessageCode {
  const code: MessageCode[number][] = [];
  for (const statement of program?.body ?? []) code.push(...piecesOf(statement));
  return code;
}

function piecesOf(statement: hbs.AST.Statement): MessageCode {
  switch (statement.type) {
    case 'ContentStatement': {
      const { value } = statement as hbs.AST.ContentStatement;
      return value === '' ? [] : [value];
    }
    case 'MustacheStatement': {
      const mustache = statement as hbs.AST.MustacheStatement;
      return [mustache.params.length === 0 ? ['value', valueOf(mustache)] : callOf(mustache)];
    }
    case 'BlockStatement':
      return [blockOf(statement as hbs.AST.BlockStatement)];
    default:
      throw new Error(`a message has no ${statement.type}`);
  }
}

function blockOf({ path, params, hash, program, inverse }: hbs.AST.BlockStatement): MessageCode[number] {
  const [operand, ...more] = params.map(operandOf);
  if (operand === undefined || more.length > 0 || (hash?.pairs.length ?? 0) > 0)
    throw new Error(`a message has no block with other operands than one: ${path.original}`);
  if (path.original === 'if') return ['if', operand, codeOf(program), codeOf(inverse)];
  if (path.original === 'unless') return ['if', operand, codeOf(inverse), codeOf(program)];
  if (path.original === 'each' && inverse === undefined) return ['each', operand, codeOf(program)];
  throw new Error(`a message has no block ${path.original}`);
}

/** Handlebars would call a helper of that name, with its own options. */
function valueOf({ path }: hbs.AST.MustacheStatement): string {
  const name = pathOf(path);
  if (Object.hasOwn(TEMPLATE_HELPERS, name))
    throw new Error(`a message has no value that is called as a helper is: ${name}`);
  return name;
}

function callOf({
  path,
  params,
  hash,
}: hbs.AST.MustacheStatement | hbs.AST.SubExpression): readonly ['call', string, readonly Operand[]] {
  const name = pathOf(path);
  if (TEMPLATE_HELPERS[name] === undefined || (hash?.pairs.length ?? 0) > 0)
    throw new Error(`a message has no helper ${name}, or none with a hash`);
  return ['call', name, params.map(operandOf)];
}

function operandOf(expression: hbs.AST.Expression): Operand {
  switch (expression.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
      return ['is', (expression as hbs.AST.StringLiteral | hbs.AST.NumberLiteral).value];
    case 'SubExpression':
      return callOf(expression as hbs.AST.SubExpression);
    default:
      return pathOf(expression);
  }
}

function pathOf(expression: hbs.AST.Expression): string {
  const { type, data, depth, parts, original } = expression as hbs.AST.PathExpression;
  const isPlain = type === 'PathExpression' && depth === 0 && parts.length > 0;
  if (!isPlain || (data && original !== FIRST)) throw new Error(`a message has no ${type} ${original}`);
  return data ? original : parts.join('.');
}
