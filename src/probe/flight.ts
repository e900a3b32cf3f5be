/**
 * Reads what a server answers to a client hello, as far as it is sent in clear: in TLSv1.3 the server's hello,
 * below it all up to ServerHelloDone (RFC 5246 §7.4, RFC 6101 §5.6), in SSLv2 its one hello.
 */
import { VERSIONS } from './hello.ts';

/** A field or a curve that the server has chosen for the agreement on keys. */
export type KeyExchange =
  | { readonly kind: 'curve'; readonly group: number }
  | { readonly kind: 'field'; readonly prime: Buffer };

/** What has come from the server. */
export interface Flight {
  /** The number of the version, 0x0303 for TLSv1.2; null before a hello came. */
  readonly version: number | null;
  /** The number of the suite chosen; null before a hello came. */
  readonly suite: number | null;
  /** TLSv1.3: the group chosen, or asked for by HelloRetryRequest; null where none was named. */
  readonly group: number | null;
  /** The certificates in DER, the server's own first; empty where none is sent in clear. */
  readonly certificates: readonly Buffer[];
  readonly keyExchange: KeyExchange | null;
  /** SSLv2: the kinds of ciphers that the server has in common with the client. */
  readonly kinds: readonly number[];
  /** All has come that can be read. */
  readonly done: boolean;
  /** The number of an alert that is more than a warning; null where none came. */
  readonly alert: number | null;
  /** Why the bytes are no TLS; null where they are. */
  readonly garbage: string | null;
}

/** The random of a server's hello that asks for another one (RFC 8446 §4.1.3). */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;
const MESSAGE = { serverHello: 2, certificate: 11, keyExchange: 12, done: 14 } as const;
const CLOSE_NOTIFY = 0;

/** No server fills more with its certificates; what goes on longer is no handshake. */
const MOST_BYTES = 256 * 1024;

/** No record is longer (RFC 5246 §6.2.3). */
const LONGEST_RECORD = 16384 + 2048;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes the bytes of a server as they come and tells when enough have come. Never throws. */
export class FlightReader {
  #state: Mutable<Flight> = {
    version: null,
    suite: null,
    group: null,
    certificates: [],
    keyExchange: null,
    kinds: [],
    done: false,
    alert: null,
    garbage: null,
  };
  #records: Buffer = Buffer.alloc(0);
  #handshake: Buffer = Buffer.alloc(0);
  #bytes = 0;
  readonly #v2: boolean;

  /** @param v2 whether the answer to a hello of SSLv2 is read */
  constructor(v2 = false) {
    this.#v2 = v2;
  }

  /** What has been read so far. */
  get flight(): Flight {
    return this.#state;
  }

  /** Nothing more has to be read. */
  get finished(): boolean {
    const { done, alert, garbage } = this.#state;
    return done || alert !== null || garbage !== null;
  }

  push(bytes: Buffer): void {
    this.#bytes += bytes.length;
    this.#records = Buffer.concat([this.#records, bytes]);
    try {
      if (this.#v2 && (this.#records[0] ?? 0) >= 0x80) this.#readV2();
      else this.#readRecords();
    } catch (error) {
      if (!readsBeyondEnd(error)) throw error;
      this.#state.garbage = 'a message is shorter than it says';
    }
    if (!this.finished && this.#bytes > MOST_BYTES) this.#state.garbage = 'the handshake does not end';
  }

  #readRecords(): void {
    while (!this.finished && this.#records.length >= 5) {
      const type = this.#records.readUInt8(0);
      const major = this.#records.readUInt8(1);
      const length = this.#records.readUInt16BE(3);
      if (type < RECORD.changeCipherSpec || type > RECORD.data || major !== 3 || length > LONGEST_RECORD) {
        this.#state.garbage = 'the answer is no TLS';
        return;
      }
      if (this.#records.length < 5 + length) return;
      const content = this.#records.subarray(5, 5 + length);
      this.#records = this.#records.subarray(5 + length);
      if (type === RECORD.alert) this.#readAlert(content);
      else if (type === RECORD.handshake) this.#readHandshake(content);
      else if (this.#state.suite === null) this.#state.garbage = 'the answer does not begin with a hello';
    }
    // A banner in clear is shorter than a record and its head may never come whole.
    const first = this.#records[0];
    if (!this.finished && first !== undefined && (first < RECORD.changeCipherSpec || first > RECORD.data))
      this.#state.garbage = 'the answer is no TLS';
  }

  #readAlert(content: Buffer): void {
    const level = content.readUInt8(0);
    const description = content.readUInt8(1);
    // A warning, such as that no host of the asked name is known, does not end the handshake.
    if (level > 1 || description === CLOSE_NOTIFY) this.#state.alert = description;
  }

  #readHandshake(content: Buffer): void {
    this.#handshake = Buffer.concat([this.#handshake, content]);
    while (!this.finished && this.#handshake.length >= 4) {
      const length = this.#handshake.readUIntBE(1, 3);
      if (length > MOST_BYTES) {
        this.#state.garbage = 'a message is longer than any';
        return;
      }
      if (this.#handshake.length < 4 + length) return;
      const type = this.#handshake.readUInt8(0);
      const body = this.#handshake.subarray(4, 4 + length);
      this.#handshake = this.#handshake.subarray(4 + length);
      if (this.#state.suite === null && type !== MESSAGE.serverHello && type !== 0) {
        this.#state.garbage = 'the answer does not begin with a hello';
      } else if (type === MESSAGE.serverHello) this.#readServerHello(body);
      else if (type === MESSAGE.certificate) this.#state.certificates = certificatesOf(body);
      else if (type === MESSAGE.keyExchange) this.#state.keyExchange = keyExchangeOf(body);
      else if (type === MESSAGE.done) this.#state.done = true;
    }
  }

  #readServerHello(body: Buffer): void {
    const state = this.#state;
    state.version = body.readUInt16BE(0);
    const session = body.readUInt8(34);
    let at = 35 + session;
    state.suite = body.readUInt16BE(at);
    at += 3;
    const retry = body.subarray(2, 34).equals(RETRY);
    if (at + 2 <= body.length) {
      const end = at + 2 + body.readUInt16BE(at);
      at += 2;
      while (at + 4 <= Math.min(end, body.length)) {
        const type = body.readUInt16BE(at);
        const content = body.subarray(at + 4, at + 4 + body.readUInt16BE(at + 2));
        at += 4 + content.length;
        if (type === 43) state.version = content.readUInt16BE(0);
        if (type === 51) state.group = content.readUInt16BE(0);
      }
    }
    // What follows is encrypted.
    if (retry || state.version >= VERSIONS['TLSv1.3']) state.done = true;
  }

  #readV2(): void {
    if (this.#records.length < 2) return;
    const length = this.#records.readUInt16BE(0) & 0x7fff;
    if (this.#records.length < 2 + length) return;
    const body = this.#records.subarray(2, 2 + length);
    const state = this.#state;
    if (body.readUInt8(0) !== 4) {
      // An error message, or something of another protocol.
      state.garbage = 'the answer is no hello of SSLv2';
      return;
    }
    const certificate = body.readUInt16BE(5);
    const kinds = body.readUInt16BE(7);
    const from = 11 + certificate;
    state.version = body.readUInt16BE(3);
    state.certificates = certificate > 0 ? [Buffer.from(body.subarray(11, from))] : [];
    state.kinds = Array.from({ length: Math.floor(kinds / 3) }, (_, index) =>
      body.readUIntBE(from + index * 3, 3),
    );
    state.done = true;
  }
}

/** Whether an error is that of a Buffer that was read beyond its end. */
function readsBeyondEnd(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ERR_OUT_OF_RANGE' || code === 'ERR_BUFFER_OUT_OF_BOUNDS';
}

function certificatesOf(body: Buffer): Buffer[] {
  const certificates: Buffer[] = [];
  for (let at = 3; at + 3 <= body.length; ) {
    const length = body.readUIntBE(at, 3);
    certificates.push(Buffer.from(body.subarray(at + 3, at + 3 + length)));
    at += 3 + length;
  }
  return certificates;
}

/** The form tells a curve from a field: a named curve begins with 3, a prime with the length of its bytes. */
function keyExchangeOf(body: Buffer): KeyExchange | null {
  if (body[0] === 3 && body.length > 4) return { kind: 'curve', group: body.readUInt16BE(1) };
  const length = body.readUInt16BE(0);
  // 512 bits are the fewest that were ever allowed.
  if (length < 64 || 2 + length > body.length) return null;
  const prime = Buffer.from(body.subarray(2, 2 + length));
  const first = prime.findIndex((byte) => byte !== 0);
  return { kind: 'field', prime: prime.subarray(Math.max(0, first)) };
}
