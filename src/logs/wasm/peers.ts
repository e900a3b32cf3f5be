// The peers by their addresses, and their sessions in each row; src/logs/peers.ts says what stands where.
import { block, blockLength, equal, longer, release, some } from './memory';

// Of a peer, which has 2 to the power of so many bytes: the first bytes of its address; its first row with the
// sessions, and where the next one stands; the length of the address, and whether it has a name.
const PEER: usize = 5;
const FIRST_ROW: usize = 16;
const SESSIONS: usize = 20;
const NEXT: usize = 24;
const ADDRESS: usize = 28;
const NAMED: i32 = i32.MIN_VALUE;

// Of its name: where its text begins, the length of the name, and a number made of the address. Few lines need it.
const LABEL: usize = 12;
const START: usize = 0;
const NAME: usize = 4;
const HASH: usize = 8;

/** Of a further row: it, its sessions, and where the next one stands. */
const COUNT: usize = 12;

const NONE: i32 = -1;

let peers: usize = 0;
let peersRoom: usize = 0;
let peerCount: i32 = 0;
let labels: usize = 0;
let labelsRoom: usize = 0;
let text: usize = 0;
let textRoom: usize = 0;
let textLength: usize = 0;
let counts: usize = 0;
let countsRoom: usize = 0;
let countsLength: usize = 0;
/** Indexes of peers from 1, where their hashes lead to, or behind that. At most half is taken. */
let slots: usize = 0;
let slotsRoom: usize = 0;
let shift: u32 = 32;

// Who sends mail chooses his addresses, and should not be able to choose many with one hash.
let factor: u64 = 1;
let other: u64 = 1;

export function setFactors(a: i32, b: i32, c: i32, d: i32): void {
  factor = ((<u64>(<u32>a)) << 32) | <u64>(<u32>b) | 1;
  other = ((<u64>(<u32>c)) << 32) | <u64>(<u32>d) | 1;
}

export function peersAt(): usize {
  return peers;
}

export function peersLength(): i32 {
  return peerCount;
}

export function labelsAt(): usize {
  return labels;
}

export function textAt(): usize {
  return text;
}

export function textEnd(): usize {
  return text + textLength;
}

export function countsAt(): usize {
  return counts;
}

export function countsEnd(): usize {
  return counts + countsLength;
}

/** Makes room for so many more peers with so many bytes of text. */
export function reservePeers(more: i32, bytes: usize): void {
  const wanted = (<usize>(peerCount + more)) << PEER;
  if (wanted > peersRoom) {
    peers = longer(peers, peersRoom, (<usize>peerCount) << PEER, wanted);
    peersRoom = blockLength(wanted);
  }
  const wantedLabels = <usize>(peerCount + more) * LABEL;
  if (wantedLabels > labelsRoom) {
    labels = longer(labels, labelsRoom, <usize>peerCount * LABEL, wantedLabels);
    labelsRoom = blockLength(wantedLabels);
  }
  const wantedText = textLength + bytes;
  if (wantedText > textRoom) {
    text = longer(text, textRoom, textLength, wantedText);
    textRoom = blockLength(wantedText);
  }
  if (<usize>(peerCount + more) << 3 > slotsRoom) spread(<usize>(peerCount + more) << 3);
}

/** Makes room for so many more further rows. */
export function reserveCounts(more: i32): void {
  const wanted = countsLength + <usize>more * COUNT;
  if (wanted <= countsRoom) return;
  counts = longer(counts, countsRoom, countsLength, wanted);
  countsRoom = blockLength(wanted);
}

/** Takes over a table as it stands elsewhere, in the place of an empty one. */
export function adoptPeers(length: i32, bytes: usize, further: usize): void {
  reservePeers(length, bytes);
  reserveCounts(<i32>(further / COUNT));
  peerCount = length;
  textLength = bytes;
  countsLength = further;
}

/** Hashes what was put there by `adoptPeers`. */
export function spreadAdopted(): void {
  for (let index = 0; index < peerCount; index++) {
    const length = lengthOf(peerAt(index));
    const start = addressOf(index);
    store<u32>(labelAt(index), hashOf(some(start, length), start, length), HASH);
  }
  spread(slotsRoom);
}

// @ts-ignore: functions have decorators here
@inline
export function peerAt(index: i32): usize {
  return peers + ((<usize>index) << PEER);
}

// @ts-ignore: functions have decorators here
@inline
function labelAt(index: i32): usize {
  return labels + <usize>index * LABEL;
}

/** How long the address of a peer is. */
// @ts-ignore: functions have decorators here
@inline
function lengthOf(peer: usize): i32 {
  return load<i32>(peer, ADDRESS) & ~NAMED;
}

/** Where the address of a peer stands as a whole. */
function addressOf(index: i32): usize {
  const label = labelAt(index);
  return text + load<u32>(label, START) + load<u32>(label, NAME) + 1;
}

// @ts-ignore: functions have decorators here
@inline
function hashOf(first: v128, start: usize, length: i32): u32 {
  let hash = i64x2.extract_lane(first, 0) * factor + i64x2.extract_lane(first, 1) * other;
  for (let at = 16; at < length; at += 16) {
    const next = some(start + at, length - at);
    hash = (hash ^ (hash >> 31)) * factor + i64x2.extract_lane(next, 0) * other;
    hash = (hash ^ (hash >> 31)) * factor + i64x2.extract_lane(next, 1) * other;
  }
  return <u32>(hash >> 32);
}

/**
 * Fetches what a peer is found by into the cache of the processor: where the hash of an address leads to, and what
 * stands there.
 */
// @ts-ignore: functions have decorators here
@inline
export function slotOf(start: usize, length: i32): usize {
  return slots + (<usize>(hashOf(some(start, length), start, length) >> shift) << 2);
}

// @ts-ignore: functions have decorators here
@inline
export function fetched(slot: usize): i32 {
  return load<i32>(peerAt(load<i32>(slot) - 1), FIRST_ROW);
}

/** The same for the rest of a long address. */
export function fetchedRest(slot: usize): i32 {
  const index = load<i32>(slot) - 1;
  return index < 0 ? 0 : load<u8>(addressOf(index) + 16);
}

/**
 * The index of a peer; a new one where the address is new. The address stands from one place to another, and the
 * name that the log gives it before that, up to a bracket.
 */
export function peerOf(nameStart: usize, start: usize, end: usize): i32 {
  const length = <i32>(end - start);
  const first = some(start, length);
  const hash = hashOf(first, start, length);
  const mask = (slotsRoom >> 2) - 1;
  let slot: usize = slotsRoom === 0 ? 0 : hash >> shift;
  while (slotsRoom !== 0) {
    const index = load<i32>(slots + (slot << 2)) - 1;
    if (index < 0) break;
    const peer = peerAt(index);
    if (lengthOf(peer) === length && equal(v128.load(peer), first)) {
      if (length <= 16 || sameRest(index, start, length)) {
        if (load<i32>(peer, ADDRESS) >= 0) giveName(index, nameStart, start, end);
        return index;
      }
    }
    slot = (slot + 1) & mask;
  }
  return add(first, hash, nameStart, start, end);
}

/** Whether the address of a peer stands at a place. */
// @ts-ignore: functions have decorators here
@inline
export function isAddress(index: i32, start: usize, length: i32): bool {
  const peer = peerAt(index);
  return (
    lengthOf(peer) === length &&
    equal(v128.load(peer), some(start, length)) &&
    (length <= 16 || sameRest(index, start, length))
  );
}

function sameRest(index: i32, start: usize, length: i32): bool {
  const own = addressOf(index);
  for (let at = 16; at < length; at += 16) {
    if (!equal(some(own + at, length - at), some(start + at, length - at))) return false;
  }
  return true;
}

function add(first: v128, hash: u32, nameStart: usize, start: usize, end: usize): i32 {
  reservePeers(1, end - nameStart + 1);
  const index = peerCount++;
  const peer = peerAt(index);
  const label = labelAt(index);
  v128.store(peer, first);
  store<i32>(peer, NONE, FIRST_ROW);
  store<i32>(peer, NONE, NEXT);
  store<i32>(peer, <i32>(end - start), ADDRESS);
  store<u32>(label, 0, NAME);
  store<u32>(label, hash, HASH);
  giveName(index, nameStart, start, end);
  if (load<u32>(label, NAME) === 0) store<u32>(label, <u32>write(start - 1, end), START);
  enter(index, hash);
  return index;
}

/** Gives a peer its name, where there is one. */
export function giveName(index: i32, nameStart: usize, start: usize, end: usize): void {
  const length = <i32>(start - 1 - nameStart);
  if (length <= 0 || (length === 7 && isUnknown(nameStart))) return;
  const peer = peerAt(index);
  const label = labelAt(index);
  store<u32>(label, <u32>write(nameStart, end), START);
  store<u32>(label, length, NAME);
  store<i32>(peer, load<i32>(peer, ADDRESS) | NAMED, ADDRESS);
}

// @ts-ignore: functions have decorators here
@inline
export function isNamed(index: i32): bool {
  return load<i32>(peerAt(index), ADDRESS) < 0;
}

/** `unknown` */
function isUnknown(at: usize): bool {
  return load<u32>(at) === 0x6e6b6e75 && load<u32>(at + 3) === 0x6e776f6e;
}

function write(from: usize, to: usize): usize {
  const start = textLength;
  const bytes = to - from;
  if (start + bytes > textRoom) reservePeers(0, bytes);
  memory.copy(text + start, from, bytes);
  textLength = start + bytes;
  return start;
}

function enter(index: i32, hash: u32): void {
  const mask = (slotsRoom >> 2) - 1;
  let slot: usize = hash >> shift;
  while (load<i32>(slots + (slot << 2)) !== 0) slot = (slot + 1) & mask;
  store<i32>(slots + (slot << 2), index + 1);
}

/** Hashes the peers into a table of so many bytes. */
function spread(bytes: usize): void {
  const length = blockLength(bytes);
  if (slotsRoom !== length) {
    if (slotsRoom !== 0) release(slots, slotsRoom);
    slots = block(length);
    slotsRoom = length;
  }
  memory.fill(slots, 0, length);
  shift = 34 - ctz(<u32>length);
  for (let index = 0; index < peerCount; index++) enter(index, load<u32>(labelAt(index), HASH));
}

/** Counts sessions of a row with the peer of that index. */
// @ts-ignore: functions have decorators here
@inline
export function countPeer(index: i32, row: i32, sessions: i32): void {
  const peer = peerAt(index);
  if (load<i32>(peer, FIRST_ROW) === row) store<i32>(peer, load<i32>(peer, SESSIONS) + sessions, SESSIONS);
  else countFurther(peer, row, sessions);
}

function countFurther(peer: usize, row: i32, sessions: i32): void {
  if (load<i32>(peer, FIRST_ROW) === NONE) {
    store<i32>(peer, row, FIRST_ROW);
    store<i32>(peer, sessions, SESSIONS);
    return;
  }
  let next = load<i32>(peer, NEXT);
  while (next >= 0) {
    const count = counts + <usize>next * COUNT;
    if (load<i32>(count) === row) {
      store<i32>(count, load<i32>(count, 4) + sessions, 4);
      return;
    }
    next = load<i32>(count, 8);
  }
  reserveCounts(1);
  const count = counts + countsLength;
  store<i32>(count, row);
  store<i32>(count, sessions, 4);
  store<i32>(count, load<i32>(peer, NEXT), 8);
  store<i32>(peer, <i32>(countsLength / COUNT), NEXT);
  countsLength += COUNT;
}

/**
 * Counts peers in groups of rows.
 *
 * @param groupOf the group of each row, or -1
 * @param last takes for each group the last peer that was counted in it, from 1, and holds none
 * @param counted takes how many peers have had sessions in each group
 */
export function countGroups(groupOf: usize, last: usize, counted: usize): void {
  for (let index = 0; index < peerCount; index++) {
    const peer = peerAt(index);
    let row = load<i32>(peer, FIRST_ROW);
    let next = load<i32>(peer, NEXT);
    while (row !== NONE) {
      const group = load<i32>(groupOf + ((<usize>row) << 2));
      if (group >= 0 && load<i32>(last + ((<usize>group) << 2)) !== index + 1) {
        store<i32>(last + ((<usize>group) << 2), index + 1);
        store<i32>(counted + ((<usize>group) << 2), load<i32>(counted + ((<usize>group) << 2)) + 1);
      }
      if (next < 0) break;
      const count = counts + <usize>next * COUNT;
      row = load<i32>(count);
      next = load<i32>(count, 8);
    }
  }
}

/**
 * Takes over other peers.
 *
 * @param rows indexes here of the rows there
 * @param indexes takes the indexes here of the peers there
 */
export function followPeers(
  theirs: usize,
  length: i32,
  theirLabels: usize,
  theirText: usize,
  theirCounts: usize,
  rows: usize,
  indexes: usize,
): void {
  for (let there = 0; there < length; there++) {
    const peer = theirs + ((<usize>there) << PEER);
    const label = theirLabels + <usize>there * LABEL;
    const start = theirText + load<u32>(label, START);
    const address = start + load<u32>(label, NAME) + 1;
    const index = peerOf(start, address, address + lengthOf(peer));
    store<i32>(indexes + ((<usize>there) << 2), index);
    const row = load<i32>(peer, FIRST_ROW);
    if (row === NONE) continue;
    countPeer(index, load<i32>(rows + ((<usize>row) << 2)), load<i32>(peer, SESSIONS));
    for (let next = load<i32>(peer, NEXT); next >= 0; ) {
      const count = theirCounts + <usize>next * COUNT;
      countPeer(index, load<i32>(rows + ((<usize>load<i32>(count)) << 2)), load<i32>(count, 4));
      next = load<i32>(count, 8);
    }
  }
}
