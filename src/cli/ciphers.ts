import { decode } from '../hosts/files.ts';
import { OPENSSL_RELEASES } from '../tls/openssl.ts';
import { UsageError } from './errors.ts';
import { hostOptions, isOn, type Request, textOf } from './options.ts';
import { RunProfiles } from './profile-option.ts';
import { err, out, outputPalette, outputWidth, standardInput } from './terminal.ts';

/**
 * `pfharden ciphers STRING`: what a cipher string means. Status 1 where OpenSSL refuses it, or nothing is
 * left: a server with this string would not start TLS.
 */
export async function ciphers({ words, given }: Request): Promise<number> {
  const [word, ...more] = words;
  if (word === undefined)
    throw new UsageError('ciphers needs a cipher string; -- stands before one that begins with -', 'ciphers');
  if (more.length > 0) throw new UsageError('ciphers takes one string: put it in quotation marks', 'ciphers');
  const flag = hostOptions(given, 'ciphers').flags.openssl;
  const openssl = flag ?? OPENSSL_RELEASES.newest;
  // The report has tables of its own in a file of its own: whoever lints does not load it.
  const { cipherAnswer, releaseRemark } = await import('../reports/ciphers.ts');
  const remark = releaseRemark(openssl);
  if (remark.kind === 'unsupported') throw new UsageError(`--openssl-version: ${remark.text}`, 'ciphers');
  if (remark.kind === 'near') err(`pfharden: --openssl-version: ${remark.text}\n`);
  const text = word === '-' ? decode('-', standardInput()).text.replace(/(?:\r?\n)+$/, '') : word;
  const { run: profile } = await RunProfiles.of(textOf(given, 'profile'), { hosts: [], config: null });
  const { output, refused } = cipherAnswer(
    { text, openssl, assumed: flag === undefined, profile },
    {
      json: textOf(given, 'format') === 'json',
      width: outputWidth(),
      palette: outputPalette(isOn(given, 'no-color')),
    },
  );
  out(output);
  return refused ? 1 : 0;
}
