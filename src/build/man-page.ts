import { readFile } from 'node:fs/promises';
import Handlebars from 'handlebars';
import about from '../../package.json' with { type: 'json' };
import { COMMANDS, type CommandName } from '../cli/options.ts';
import { type CommandUsage, commandUsage, EXIT_STATUS } from '../cli/usage.ts';
import { coveredReleases } from '../hosts/releases.ts';
import { wrap } from '../reports/words.ts';
import { BUILTIN_PROFILE_NAMES, builtinProfile } from '../rules/rule-set.ts';

/** The man page, from what the help of the commands is made of. */
export async function manPage(): Promise<string> {
  const handlebars = Handlebars.create();
  for (const [name, helper] of Object.entries(HELPERS)) handlebars.registerHelper(name, helper);
  const template = await readFile('templates/pfharden.1.hbs', 'utf8');
  const commands = (Object.keys(COMMANDS) as CommandName[]).map((name) => {
    const usage = commandUsage(name);
    return { ...usage, titled: usage.groups.length > 1 };
  });
  return handlebars.compile(template, { noEscape: true, strict: true })({
    version: about.version,
    commands,
    profiles: BUILTIN_PROFILE_NAMES.map(builtinProfile),
    releases: coveredReleases(),
    examples: commands.flatMap(({ examples }) => examples),
    statuses: EXIT_STATUS.map((status) => ({
      ...status,
      commands: status.term === '1' ? commands.flatMap(whenFound) : [],
    })),
  });
}

/** When a command ends with 1. */
function whenFound({ name, status }: CommandUsage): readonly { name: string; describe: string }[] {
  return status.filter((line) => line.term === '1').map(({ describe }) => ({ name, describe }));
}

/** What groff_char(7) says is typeset otherwise than it is typed, and what only UTF-8 has. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '…': '...',
};

/** Columns of the lines of the source. */
const WIDTH = 78;

/** A text as troff shows it unchanged, in lines. */
function roff(text: string): string {
  return wrap(text, WIDTH).map(roffLine).join('\n');
}

function roffLine(text: string): string {
  const typed = text.replace(/[^ !#-&(-,./0-9:-@A-Z[\]_a-z{|}]/gu, (character) => {
    const typeset = CHARACTERS[character];
    if (typeset === undefined) throw new Error(`the man page has no form for ${JSON.stringify(character)}`);
    return typeset;
  });
  return typed.startsWith('.') ? `\\&${typed}` : typed;
}

/** Names are bold, and words in capitals, which stand for others, are in italics. */
function termOf(text: string): string {
  const [, name = '', value = ''] = /^(--[a-z-]+ ?)?(.*)$/.exec(text) ?? [];
  return (name === '' ? '' : `\\fB${roffLine(name)}\\fR`) + placeholders(value);
}

function placeholders(text: string): string {
  return text
    .split(/([A-Z]+)/)
    .map((part) => (/^[A-Z]/.test(part) ? `\\fI${part}\\fR` : roffLine(part)))
    .join('');
}

function synopsisOf(text: string): string {
  const [program = '', command = '', ...rest] = text.split(' ');
  return `\\fB${roffLine(`${program} ${command}`)}\\fR ${placeholders(rest.join(' '))}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}:`;
}

const HELPERS = { roff, termOf, synopsisOf, sentence };
