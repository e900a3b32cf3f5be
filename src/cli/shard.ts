import { relative } from 'node:path';
import { UsageError } from './errors.ts';
import { type CommandName, type Given, textOf } from './options.ts';

/** One of several parts of the hosts of a run. */
export interface Shard {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

const MOST_SHARDS = 1000;

/**
 * The part that `--shard` asks for; null where all hosts are meant.
 *
 * @throws UsageError where it is not written as 1/8
 */
export function shardOf(given: Given, command: CommandName): Shard | null {
  const text = textOf(given, 'shard');
  if (text === undefined) return null;
  const [, number = '0', of = '0'] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text) ?? [];
  const shard = { number: Number(number), of: Number(of) };
  if (shard.number < 1 || shard.number > shard.of || shard.of > MOST_SHARDS)
    throw new UsageError(
      `--shard must be a part and the number of parts, as 1/8, at most ${MOST_SHARDS}, not "${text}"`,
      command,
    );
  return shard;
}

/**
 * Whether a host belongs to a part. That depends on its folder alone, as seen from the current one: it is the
 * same on every machine, whatever other hosts there are.
 */
export function isInShard(directory: string, { number, of }: Shard): boolean {
  return hash(relative('', directory)) % of === number - 1;
}

/** FNV-1a of 32 bits, and a last step that makes each bit of the result depend on all of the text (MurmurHash3). */
function hash(text: string): number {
  let hashed = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hashed = Math.imul(hashed ^ byte, 0x01000193);
  hashed = Math.imul(hashed ^ (hashed >>> 16), 0x85ebca6b);
  hashed = Math.imul(hashed ^ (hashed >>> 13), 0xc2b2ae35);
  return (hashed ^ (hashed >>> 16)) >>> 0;
}
