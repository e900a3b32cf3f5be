// Rows by what lines say, and how many sessions of each were counted on the day that is read.
import { blockLength, equal, KEY, longer, MOST_ROWS, ROW, ROWS, some } from './memory';

/** Of a key: 64 bytes of text; what it is of, with the lengths of its texts; and what it belongs to. */
const KIND: usize = 64;
const OWNER: usize = 68;
/** What stands there for it. */
export const FIRST: usize = 72;
export const SECOND: usize = 76;

let known: usize = 0;

let today: usize = 0;
let todayRoom: usize = 0;

/** Sessions by index of the row. */
export function todayAt(): usize {
  return today;
}

/** Makes room for so many rows. */
export function reserveRows(rows: i32): void {
  const wanted = (<usize>rows) << 2;
  if (wanted <= todayRoom) return;
  const before = todayRoom;
  today = longer(today, todayRoom, todayRoom, wanted);
  todayRoom = blockLength(wanted);
  memory.fill(today + before, 0, todayRoom - before);
}

// @ts-ignore: functions have decorators here
@inline
export function countToday(row: i32, sessions: i32): void {
  const at = today + ((<usize>row) << 2);
  store<i32>(at, load<i32>(at) + sessions);
}

/** The key of a text of at most 64 bytes. */
// @ts-ignore: functions have decorators here
@inline
export function keyOf(kind: i32, owner: i32, text: usize, length: i32): void {
  v128.store(KEY, some(text, length));
  v128.store(KEY, some(text + 16, length - 16), 16);
  v128.store(KEY, some(text + 32, length - 32), 32);
  v128.store(KEY, some(text + 48, length - 48), 48);
  store<i32>(KEY, kind | (length << 8), KIND);
  store<i32>(KEY, owner, OWNER);
}

/** The key of two texts of at most 32 bytes each. */
export function keyOfTwo(kind: i32, text: usize, length: i32, second: usize, secondLength: i32): void {
  v128.store(KEY, some(text, length));
  v128.store(KEY, some(text + 16, length - 16), 16);
  v128.store(KEY, some(second, secondLength), 32);
  v128.store(KEY, some(second + 16, secondLength - 16), 48);
  store<i32>(KEY, kind | (length << 8) | (secondLength << 16), KIND);
  store<i32>(KEY, 0, OWNER);
}

/** The key of numbers. */
export function keyOfNumbers(kind: i32, owner: i32, first: u64, second: u64): void {
  v128.store(KEY, i64x2(0, 0));
  v128.store(KEY, i64x2(0, 0), 16);
  v128.store(KEY, i64x2(0, 0), 32);
  v128.store(KEY, i64x2(0, 0), 48);
  store<u64>(KEY, first);
  store<u64>(KEY, second, 8);
  store<i32>(KEY, kind, KIND);
  store<i32>(KEY, owner, OWNER);
}

/** Where stands what the key stands for; 0 where that is not known. */
export function find(): usize {
  let at = slotOf();
  while (load<i32>(at, KIND) !== 0) {
    if (
      load<u64>(at, KIND) === load<u64>(KEY, KIND) &&
      equal(v128.load(at), v128.load(KEY)) &&
      equal(v128.load(at, 16), v128.load(KEY, 16)) &&
      equal(v128.load(at, 32), v128.load(KEY, 32)) &&
      equal(v128.load(at, 48), v128.load(KEY, 48))
    )
      return at;
    at += ROW;
    if (at === ROWS + MOST_ROWS * ROW) at = ROWS;
  }
  return 0;
}

/** What the key that was looked for last stands for. */
export function learn(first: i32, second: i32): void {
  // Of so many nobody knows which are common.
  if (known++ === <usize>(MOST_ROWS / 2)) {
    memory.fill(ROWS, 0, MOST_ROWS * ROW);
    known = 1;
  }
  let at = slotOf();
  while (load<i32>(at, KIND) !== 0) {
    at += ROW;
    if (at === ROWS + MOST_ROWS * ROW) at = ROWS;
  }
  memory.copy(at, KEY, FIRST);
  store<i32>(at, first, FIRST);
  store<i32>(at, second, SECOND);
}

function slotOf(): usize {
  const hash =
    (load<u64>(KEY) ^ load<u64>(KEY, KIND)) * 0x9e3779b97f4a7c15 +
    (load<u64>(KEY, 8) ^ load<u64>(KEY, 40)) * 0xc2b2ae3d27d4eb4f +
    (load<u64>(KEY, 16) ^ load<u64>(KEY, 48)) * 0x165667b19e3779f9 +
    (load<u64>(KEY, 24) ^ load<u64>(KEY, 32)) * 0x27d4eb2f165667c5;
  return ROWS + <usize>(hash >> 54) * ROW;
}
