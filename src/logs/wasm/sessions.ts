// What is known of the connections that processes serve; src/logs/sessions.ts says what stands where.
import { block, blockLength, BORN, BORN_COUNT, longer, MOST_BORN, release, SESSIONS_AT } from './memory';

export const PID: usize = 0;
export const HOST_ID: usize = 4;
export const SERVICE: usize = 8;
export const FLAGS: usize = 12;
export const PEER_INDEX: usize = 16;
export const DAY: usize = 20;
export const TLS_ROW: usize = 24;
export const LOGIN: usize = 28;
export const REASON: usize = 32;
export const USER: usize = 36;
export const QUEUE_ID_LENGTH: usize = 40;
export const QUEUE_ID: usize = 44;
/** So long a queue id can be that stands here. */
export const LONGEST_ID: i32 = 20;
/** A session has 2 to the power of so many bytes. */
const SESSION: usize = 6;

/** A message was begun; lines await what stands before; many others have spoken since. */
export const MAIL: i32 = 1;
export const AWAITS: i32 = 2;
export const OLDER: i32 = 4;

let sessions: usize = 0;
let sessionsRoom: usize = 0;
let sessionCount: i32 = 0;
/** The first one that is free, from 1; each says which is the next. */
let free: i32 = 0;
/** Indexes from 1 where their processes lead to, or behind that. At most half is taken. */
let slots: usize = 0;
let slotsRoom: usize = 0;
let shift: u32 = 32;
let entered: i32 = 0;

// @ts-ignore: functions have decorators here
@inline
function sessionAt(index: i32): usize {
  return sessions + ((<usize>index) << SESSION);
}

/** Makes room for so many more. */
export function reserveSessions(more: i32): void {
  const wanted = (<usize>(sessionCount + more)) << SESSION;
  if (wanted > sessionsRoom) {
    sessions = longer(sessions, sessionsRoom, (<usize>sessionCount) << SESSION, wanted);
    sessionsRoom = blockLength(wanted);
    store<u32>(SESSIONS_AT, <u32>sessions);
  }
  if ((<usize>(entered + more)) << 3 > slotsRoom) spread((<usize>(entered + more)) << 3);
}

/** The index of a new one, of a process that serves nobody. */
export function newSession(host: i32, pid: i32, service: i32): i32 {
  reserveSessions(1);
  const index = free !== 0 ? free - 1 : sessionCount++;
  const session = sessionAt(index);
  if (free !== 0) free = load<i32>(session);
  memory.fill(session, 0, 1 << SESSION);
  store<i32>(session, pid, PID);
  store<i32>(session, host, HOST_ID);
  store<i32>(session, service, SERVICE);
  clear(session);
  entered++;
  enter(index);
  return index;
}

/** The process serves no connection any more. */
// @ts-ignore: functions have decorators here
@inline
export function clear(session: usize): void {
  store<i32>(session, load<i32>(session, FLAGS) & ~MAIL, FLAGS);
  store<i32>(session, -1, PEER_INDEX);
  store<i32>(session, -1, TLS_ROW);
  store<i32>(session, -1, LOGIN);
  store<i32>(session, -1, REASON);
  store<i32>(session, -1, USER);
}

/** A new one of a process that the host does not know yet: it is told. 0 where it is told of enough. */
export function bear(host: usize, pid: i32, service: i32, day: i32): bool {
  const born = load<i32>(BORN_COUNT);
  // How many more the host may have.
  const left = load<i32>(host, 8);
  if (born === MOST_BORN || left <= 0) return false;
  const index = newSession(load<i32>(host, 4), pid, service);
  store<i32>(sessionAt(index), day, DAY);
  store<i32>(BORN + (<usize>born << 2), index);
  store<i32>(BORN_COUNT, born + 1);
  store<i32>(host, left - 1, 8);
  return true;
}

// @ts-ignore: functions have decorators here
@inline
function slotOf(host: i32, pid: i32): usize {
  return (<u32>(pid * <i32>0x9e3779b1 + host * <i32>0x85ebca6b)) >> shift;
}

/** The session of a process; 0 where none is known. */
// @ts-ignore: functions have decorators here
@inline
export function sessionOf(host: i32, pid: i32): usize {
  if (slotsRoom === 0) return 0;
  const mask = (slotsRoom >> 2) - 1;
  let slot = slotOf(host, pid);
  let index = load<i32>(slots + (slot << 2));
  while (index !== 0) {
    const session = sessionAt(index - 1);
    if (load<i32>(session, PID) === pid && load<i32>(session, HOST_ID) === host) return session;
    slot = (slot + 1) & mask;
    index = load<i32>(slots + (slot << 2));
  }
  return 0;
}

function enter(index: i32): void {
  const session = sessionAt(index);
  const mask = (slotsRoom >> 2) - 1;
  let slot = slotOf(load<i32>(session, HOST_ID), load<i32>(session, PID));
  while (load<i32>(slots + (slot << 2)) !== 0) slot = (slot + 1) & mask;
  store<i32>(slots + (slot << 2), index + 1);
}

/** It is no more. */
export function freeSession(index: i32): void {
  const session = sessionAt(index);
  const mask = (slotsRoom >> 2) - 1;
  let hole = slotOf(load<i32>(session, HOST_ID), load<i32>(session, PID));
  while (load<i32>(slots + (hole << 2)) !== index + 1) hole = (hole + 1) & mask;
  entered--;
  // What stands behind it may only be found because it stands there.
  for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
    const next = load<i32>(slots + (slot << 2));
    if (next === 0) break;
    const one = sessionAt(next - 1);
    const wanted = slotOf(load<i32>(one, HOST_ID), load<i32>(one, PID));
    if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
      store<i32>(slots + (hole << 2), next);
      hole = slot;
    }
  }
  store<i32>(slots + (hole << 2), 0);
  store<i32>(session, free);
  free = index + 1;
}

function spread(bytes: usize): void {
  const before = slots;
  const room = slotsRoom;
  slotsRoom = blockLength(bytes);
  slots = block(slotsRoom);
  memory.fill(slots, 0, slotsRoom);
  shift = 34 - ctz(<u32>slotsRoom);
  for (let at: usize = 0; at < room; at += 4) {
    const index = load<i32>(before + at);
    if (index !== 0) enter(index - 1);
  }
  if (room !== 0) release(before, room);
}
