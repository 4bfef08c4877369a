import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import type { NativeAddon } from '../../../native/addon.ts';
import type { Descriptor } from '../../../native/descriptors.ts';
import { descriptorOf } from '../../../net/socket-descriptor.ts';
import { type TlsRecordTap, tapOf } from '../../../net/tls/tls-record-tap.ts';
import { type AdoptedConnection, drain, tune } from '../adopted-connection.ts';
import { SUITES, type Suite, trafficKey } from './key-schedule.ts';
import { hasRecords, type RecordAddon, RecordKeys } from './record-keys.ts';
import { RecordStream } from './record-stream.ts';
import { sequenceOf } from './sequence.ts';

/** Event-loop turns to wait for Node's TLS to flush; it takes one or two. */
const MOST_TURNS = 20;

/** Waits until the kernel has all that was written to a TLS socket over a tap, for MOST_TURNS turns at most. Returns at once for any other socket. */
export async function drained(socket: Socket): Promise<void> {
  const tap = socket instanceof TLSSocket ? tapOf(socket) : undefined;
  if (tap === undefined) return;
  for (let turns = 0; turns < MOST_TURNS && !isDrained(socket, tap); turns++) await turn();
}

function isDrained(socket: Socket, tap: TlsRecordTap): boolean {
  return socket.destroyed || (socket.writableLength === 0 && tap.isQuiet);
}

/** The keys of one direction of a connection, and how far it has come. */
interface Position {
  readonly secret: Buffer;
  /** of the next record */
  readonly sequence: number;
}

/**
 * Takes a TLS 1.3 connection over from Node, between two records.
 *
 *   1. check that there is a tap, nothing is under way, and the cipher suite is one of ours
 *   2. find the sequence number of either direction: its last record can be opened under one number only
 *   3. what Node has decrypted comes first, then the records that the tap has not passed on
 *
 * @returns undefined where any of it is in doubt: nothing was changed, and Node keeps the connection
 */
export function takeOverTls(
  socket: TLSSocket,
  head: Buffer,
  loadAddon: () => NativeAddon,
): AdoptedConnection | undefined {
  const tap = tapOf(socket);
  if (tap === undefined) return undefined;
  const connection = socket.destroyed ? undefined : adopt(socket, tap, head, loadAddon);
  if (connection === undefined) tap.forget();
  return connection;
}

function adopt(
  socket: TLSSocket,
  tap: TlsRecordTap,
  head: Buffer,
  loadAddon: () => NativeAddon,
): AdoptedConnection | undefined {
  const suite = suiteOf(socket);
  const fd = descriptorOf(tap.raw);
  if (suite === undefined || fd === undefined || !isDrained(socket, tap) || socket.readableEnded) return undefined;
  const { client, server } = tap.secrets;
  const isClient = tap.role === 'client';
  const opening = positionOf(tap.lastInbound, suite, isClient ? server : client);
  const sealing = positionOf(tap.lastOutbound, suite, isClient ? client : server);
  if (opening === undefined || sealing === undefined) return undefined;
  const taken = take(loadAddon, fd, suite, opening, sealing);
  if (taken === undefined) return undefined;
  tap.hold();
  const prefetched = Buffer.concat([head, ...drain(socket)]);
  const ciphertext = tap.takeOver();
  tune(fd);
  tap.raw.destroy();
  socket.destroy();
  return {
    ...taken,
    stream: new RecordStream({ ...taken, isClient, prefetched: ciphertext }),
    prefetched,
    kind: 'native-tls',
  };
}

function suiteOf(socket: TLSSocket): Suite | undefined {
  return socket.getProtocol() === 'TLSv1.3' ? SUITES[socket.getCipher().standardName] : undefined;
}

function positionOf(record: Buffer | undefined, suite: Suite, secret: Buffer | undefined): Position | undefined {
  if (record === undefined || secret === undefined) return undefined;
  const key = trafficKey(suite, secret);
  const sequence = sequenceOf(record, suite, key);
  key.key.fill(0);
  key.iv.fill(0);
  return sequence === undefined ? undefined : { secret, sequence: sequence + 1 };
}

interface Taken {
  readonly addon: RecordAddon;
  readonly descriptor: Descriptor;
  readonly opening: RecordKeys;
  readonly sealing: RecordKeys;
}

function take(
  loadAddon: () => NativeAddon,
  fd: number,
  suite: Suite,
  opening: Position,
  sealing: Position,
): Taken | undefined {
  try {
    const addon = loadAddon();
    if (!hasRecords(addon)) return undefined;
    return {
      addon,
      opening: new RecordKeys(addon, suite, opening.secret, opening.sequence, false),
      sealing: new RecordKeys(addon, suite, sealing.secret, sealing.sequence, true),
      descriptor: addon.adoptSocket(fd),
    };
  } catch {
    return undefined;
  }
}
