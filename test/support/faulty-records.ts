import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { RecordFollower } from '../../src/net/tls/record-follower.ts';
import type { Random } from './random.ts';
import { once, within } from './waits.ts';

/** Ways to break a stream of TLS records that leave the TCP connection as it is. */
export const FAULTS = ['flip', 'type', 'longer', 'cut', 'drop', 'repeat', 'insert'] as const;
export type Fault = (typeof FAULTS)[number];

const HEADER_BYTES = 5;
const APPLICATION_DATA = 23;

export interface FaultPlan {
  readonly fault: Fault;
  /** the direction that is broken */
  readonly isUp: boolean;
  /** the number of the record of application data in that direction, from 0 */
  readonly record: number;
}

/** A hop before a TLS server that breaks one record of each connection, by its plan. */
export class FaultyHop {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #plans: FaultPlan[] = [];
  readonly #random: Random;
  #onBroken: ((atMs: number, farPort: number) => void) | undefined;

  private constructor(random: Random, server: Server) {
    this.#random = random;
    this.#server = server;
  }

  static async start(toPort: number, random: Random): Promise<FaultyHop> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const hop = new FaultyHop(random, server);
    server.on('connection', (near) => hop.#pass(near, toPort));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return hop;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Sets the plan of the next connection. @returns when the broken record was sent, and the port of the hop's end */
  plan(plan: FaultPlan): Promise<{ atMs: number; farPort: number }> {
    this.#plans.push(plan);
    const broken = new Promise<{ atMs: number; farPort: number }>((resolve) => {
      this.#onBroken = (atMs, farPort) => resolve({ atMs, farPort });
    });
    return within(broken, `record to break: ${JSON.stringify(plan)}`);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(near: Socket, toPort: number): void {
    const far = connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const plan = this.#plans.shift();
    const onBroken = this.#onBroken;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
      from.on('end', () => to.end());
      const isPlanned = plan !== undefined && plan.isUp === (from === near);
      const follower = new RecordFollower();
      let records = 0;
      from.on('data', (octets: Buffer) => {
        if (!isPlanned || records > plan.record) {
          to.write(octets);
          return;
        }
        for (const record of recordsOf(follower.follow(octets))) {
          const isBroken = record[0] === APPLICATION_DATA && records++ === plan.record;
          to.write(isBroken ? this.#broken(record, plan.fault) : record);
          if (isBroken) onBroken?.(performance.now(), far.localPort ?? 0);
        }
        if (records > plan.record) to.write(follower.stop());
      });
    }
  }

  #broken(record: Buffer, fault: Fault): Buffer {
    const bytes = Buffer.from(record);
    const inside = HEADER_BYTES + this.#random.below(bytes.length - HEADER_BYTES);
    switch (fault) {
      case 'flip':
        bytes[inside] = (bytes[inside] ?? 0) ^ (1 << this.#random.below(8));
        return bytes;
      case 'type':
        bytes[0] = 99;
        return bytes;
      case 'longer':
        bytes.writeUInt16BE(bytes.readUInt16BE(3) + 1, 3);
        return bytes;
      case 'cut':
        return bytes.subarray(0, inside);
      case 'drop':
        return bytes.subarray(0, 0);
      case 'repeat':
        return Buffer.concat([bytes, bytes]);
      case 'insert':
        return Buffer.concat([Buffer.from([APPLICATION_DATA, 3, 3, 0, 32]), Buffer.alloc(32, 7), bytes]);
    }
  }
}

function* recordsOf(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; ) {
    const end = at + HEADER_BYTES + octets.readUInt16BE(at + 3);
    yield octets.subarray(at, end);
    at = end;
  }
}
