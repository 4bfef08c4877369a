import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { serveFrames } from '../../native/addon.ts';
import { forgetConnection } from './forgotten-connections.ts';
import { takeTrafficSecret } from './keylog-line.ts';
import { RecordFollower } from './record-follower.ts';

/** What a side may send under at first: the roots of its application traffic keys (RFC 8446, 7.1). */
export interface TrafficSecrets {
  client: Buffer | undefined;
  server: Buffer | undefined;
}

/** Whole records that the TLS above has not been given. */
interface Waiting {
  readonly octets: Buffer;
  readonly last: Buffer | undefined;
}

const NOTHING: Buffer = Buffer.alloc(0);

const RELAYS = new WeakMap<TLSSocket, RecordRelay>();
/** The relay that is giving something upwards at this moment. */
let passing: RecordRelay | undefined;

/**
 * Stands between a TCP connection and Node's TLS, so that TLS can be taken over
 * between two records: what it gives upwards ends where a record ends, and it
 * knows the last record of either direction. Octets pass unchanged.
 */
export class RecordRelay extends Duplex {
  readonly raw: Socket;
  readonly role: 'client' | 'server';
  readonly #inbound = new RecordFollower();
  readonly #outbound = new RecordFollower();
  readonly #waiting: Waiting[] = [];
  readonly #secrets: TrafficSecrets = { client: undefined, server: undefined };
  /** The TLS above; unknown until it has secrets. */
  #secured: TLSSocket | undefined;
  #lastGiven: Buffer | undefined;
  #isPassing = false;
  #isHeld = false;
  #isRawEnded = false;
  #isForgetful = false;

  /**
   * @param raw a connected socket, whose octets are the relay's from here on
   * @param role which side of TLS is above
   */
  constructor(raw: Socket, role: 'client' | 'server') {
    super({ allowHalfOpen: raw.allowHalfOpen });
    this.raw = raw;
    this.role = role;
    // TLS above the relay cannot reach it.
    raw.setNoDelay(true);
    raw.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
    this.on('resume', () => this.#pass());
  }

  /** Hears the secrets of a TLS socket over this relay. @param line as 'keylog' has it; it is overwritten */
  hear(line: Buffer): void {
    const told = takeTrafficSecret(line);
    if (told === undefined) return;
    if (this.#isForgetful) told.secret.fill(0);
    else this.#secrets[told.owner] = told.secret;
  }

  /** Says what TLS is above. */
  carry(socket: TLSSocket): void {
    this.#secured = socket;
  }

  get secrets(): Readonly<TrafficSecrets> {
    return this.#secrets;
  }

  /** The last record that the TLS above was given. */
  get lastInbound(): Buffer | undefined {
    return this.#lastGiven;
  }

  /** The last record that it sent; the kernel has it when `isQuiet`. */
  get lastOutbound(): Buffer | undefined {
    return this.#outbound.last;
  }

  /** Whether nothing is under way: all that was sent has left, all that was given has been taken, and it goes on. */
  get isQuiet(): boolean {
    const { raw } = this;
    const isLive = !this.destroyed && !raw.destroyed && !this.#isRawEnded && !this.writableEnded && raw.writable;
    const hasLeft = this.writableLength === 0 && raw.writableLength === 0 && this.#outbound.partial.length === 0;
    return isLive && hasLeft && this.readableLength === 0 && !this.#isPassing;
  }

  /** Gives nothing more upwards, until `forget`. */
  hold(): void {
    this.#isHeld = true;
    this.raw.pause();
  }

  /** What has arrived and was not given upwards. It is the caller's, and the connection too: the relay is over. */
  takeOver(): Buffer {
    const { raw } = this;
    this.hold();
    raw.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    raw.on('error', () => undefined);
    const rest = [...this.#waiting.splice(0).map(({ octets }) => octets), this.#inbound.stop()];
    for (let chunk = raw.read() as Buffer | null; chunk !== null; chunk = raw.read() as Buffer | null) rest.push(chunk);
    this.#forgetSecrets();
    return Buffer.concat(rest);
  }

  /** From here on it only relays: secrets and records are of no more use. */
  forget(): void {
    this.#isHeld = false;
    this.#forgetSecrets();
    const octets = this.#inbound.stop();
    this.#outbound.stop();
    if (octets.length > 0) this.#waiting.push({ octets, last: undefined });
    this.#pass();
  }

  override _read(): void {
    // Octets are given by `pass`, as soon as somebody takes them.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#outbound.follow(chunk);
    this.raw.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#forgetSecrets();
    if (this.#secured !== undefined) forgetConnection(this.#secured);
    this.#waiting.length = 0;
    this.raw.destroy();
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    // A handshake is the longest piece of work that a stranger can cause.
    serveFrames();
    const octets = this.#inbound.follow(chunk);
    if (octets.length > 0) this.#waiting.push({ octets, last: this.#inbound.last });
    this.#pass();
  };

  readonly #onEnd = (): void => {
    this.#isRawEnded = true;
    const octets = this.#inbound.stop();
    if (octets.length > 0) this.#waiting.push({ octets, last: undefined });
    this.#pass();
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  readonly #onClose = (): void => {
    this.destroy();
  };

  /** Gives what waits upwards, while somebody takes it at once; the rest waits here, and the kernel with it. */
  #pass(): void {
    if (this.#isPassing || this.#isHeld || this.destroyed) return;
    while (!this.#isHeld && !this.destroyed && this.readableFlowing === true && this.readableLength === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#lastGiven = next.last;
      this.#give(next.octets);
    }
    if (this.#isHeld || this.destroyed) return;
    if (this.#waiting.length > 0) this.raw.pause();
    else if (this.#isRawEnded) this.push(null);
    else this.raw.resume();
  }

  #give(octets: Buffer): void {
    const outer = passing;
    passing = this;
    this.#isPassing = true;
    try {
      this.push(octets);
    } finally {
      this.#isPassing = false;
      passing = outer;
    }
  }

  #forgetSecrets(): void {
    this.#isForgetful = true;
    for (const secret of [this.#secrets.client, this.#secrets.server]) secret?.fill(0);
    this.#secrets.client = undefined;
    this.#secrets.server = undefined;
    this.#lastGiven = NOTHING;
  }
}

/** The relay under a TLS socket, if there is one. */
export function relayOf(socket: TLSSocket): RecordRelay | undefined {
  return RELAYS.get(socket);
}

/**
 * Hears what a TLS server says of its sockets ('keylog'). Node does not tell
 * over what it made one; but it says secrets while it reads the record that
 * they follow from, which is while its relay passes that record on.
 * @param line is overwritten
 */
export function hearServer(line: Buffer, socket: TLSSocket): void {
  const relay = RELAYS.get(socket) ?? passing;
  if (relay === undefined) {
    takeTrafficSecret(line)?.secret.fill(0);
    return;
  }
  RELAYS.set(socket, relay);
  relay.carry(socket);
  relay.hear(line);
}

/** Makes a TLS socket that was made over a relay known as such, and hears its secrets. */
export function hearClient(socket: TLSSocket, relay: RecordRelay): void {
  RELAYS.set(socket, relay);
  relay.carry(socket);
  socket.on('keylog', (line: Buffer) => relay.hear(line));
}

/** Lets a TLS socket over a relay say whom it is connected with: Node's own answer needs a socket of the kernel. */
export function showEnds(socket: TLSSocket): void {
  const raw = RELAYS.get(socket)?.raw;
  if (raw === undefined) return;
  for (const name of ['remoteAddress', 'remoteFamily', 'remotePort', 'localAddress', 'localPort'] as const) {
    Object.defineProperty(socket, name, { value: raw[name], configurable: true });
  }
}
