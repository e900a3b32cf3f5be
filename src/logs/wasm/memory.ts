// Where everything stands in the memory, and blocks of it for tables that grow.

/**
 * What the host looks up after calls: where the sessions stand; how many lines the last call has passed; where the
 * last of them begins and ends in the piece.
 */
export const ANSWERS: usize = 16384;
export const SESSIONS_AT: usize = ANSWERS;
export const LINES: usize = ANSWERS + 4;
export const LINE_START: usize = ANSWERS + 8;
export const LINE_END: usize = ANSWERS + 12;
/** The program of that line; which sessions were made of processes that the host does not know yet. */
export const PROGRAM_AT: usize = ANSWERS + 16;
export const BORN_COUNT: usize = ANSWERS + 20;
export const BORN: usize = ANSWERS + 64;
export const MOST_BORN: i32 = 256;
/** Sixteen bytes that are kept, and sixteen that are not: see `some`. */
const MASKS: usize = BORN + 4 * <usize>MOST_BORN;
/** The key that was looked up last among the rows, see rows.ts. */
export const KEY: usize = MASKS + 64;
/** How lines of each host begin, see `setHeads`. */
export const HOSTS: usize = KEY + 128;
export const HOST: usize = 400;
export const MOST_HOSTS: i32 = 16;
/** The first free block of each length. */
const FREE: usize = HOSTS + <usize>MOST_HOSTS * HOST;
/** Where the next lines end. */
export const FEEDS: usize = FREE + 128;
export const MOST_FEEDS: usize = 256;
/** Those of them that tell something, see `findLines`. */
export const LINES_FOUND: usize = FEEDS + 2048;
export const LINE_FOUND: usize = 32;
/** Sessions that are to be counted, see `countLater`. */
export const QUEUE: usize = LINES_FOUND + LINE_FOUND * 512;
export const QUEUED: usize = 32;
export const MOST_QUEUED: usize = 64;
/** Names of programs, and rows by what lines say. */
export const IDENTS: usize = QUEUE + QUEUED * MOST_QUEUED;
export const IDENT: usize = 64;
export const MOST_IDENTS: usize = 2048;
export const ROWS: usize = IDENTS + MOST_IDENTS * IDENT;
export const ROW: usize = 96;
export const MOST_ROWS: usize = 1024;
/** The piece of the log that is read, with room for the longest line and for what is looked at behind it. */
export const PIECE: usize = 327680;
const PIECE_ROOM: usize = (1 << 20) + 8192;
/** Where the host puts text that is not in the piece, at most as long. */
export const TEXT: usize = PIECE + PIECE_ROOM;

/** The shortest block is one of 2 to the power of so many bytes. */
const SHORTEST: u32 = 12;

/** Where the memory ends that blocks were made of. */
let top: usize = TEXT + PIECE_ROOM;

/** There is no more memory: it throws. */
// @ts-ignore: functions have decorators here
@external('host', 'full')
declare function full(): void;

/** The length of the block that has room for so many bytes. */
export function blockLength(bytes: usize): usize {
  return <usize>1 << (32 - clz(<u32>max(bytes, 1 << SHORTEST) - 1));
}

/** A block of a length as `blockLength` gives it. */
export function block(length: usize): usize {
  const first = FREE + ((ctz(<u32>length) - SHORTEST) << 2);
  const free = load<u32>(first);
  if (free !== 0) {
    store<u32>(first, load<u32>(free));
    return free;
  }
  const start = top;
  // What stands behind a text is looked at too.
  const end = <u64>start + <u64>length + 4096;
  const pages = <i32>((end + 0xffff) >> 16);
  if (length === 0 || end > 0xffff0000) full();
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) full();
  top = start + length;
  return start;
}

/** Gives a block back. */
export function release(start: usize, length: usize): void {
  const first = FREE + ((ctz(<u32>length) - SHORTEST) << 2);
  store<u32>(start, load<u32>(first));
  store<u32>(first, <u32>start);
}

/** A longer block with what stands at the beginning of a shorter one, which is given back. */
export function longer(start: usize, length: usize, used: usize, bytes: usize): usize {
  const other = block(blockLength(bytes));
  memory.copy(other, start, used);
  if (length !== 0) release(start, length);
  return other;
}

/** Sixteen bytes of which those behind the first so many are zero. */
// @ts-ignore: functions have decorators here
@inline
export function some(at: usize, bytes: i32): v128 {
  return v128.and(v128.load(at), v128.load(MASKS + 16 - max(0, min(bytes, 16))));
}

/** Whether sixteen bytes are the same. */
// @ts-ignore: functions have decorators here
@inline
export function equal(one: v128, other: v128): bool {
  return !v128.any_true(v128.xor(one, other));
}

/** Where a byte stands in the 64 bytes from a place on, a bit for each. */
// @ts-ignore: functions have decorators here
@inline
export function places(at: usize, byte: u8): u64 {
  const wanted = i8x16.splat(byte);
  return (
    <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), wanted))) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), wanted))) << 16) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 32), wanted))) << 32) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 48), wanted))) << 48)
  );
}

memory.fill(MASKS, 0xff, 16);
