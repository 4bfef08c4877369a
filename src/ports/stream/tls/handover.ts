import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { type Descriptor, type NativeAddon, nativeAddon } from '../../../native/addon.ts';
import { type RecordRelay, relayOf } from '../../../net/tls/tls-record-tap.ts';
import { type AdoptedConnection, descriptorOf, drain, tune } from '../adopted-connection.ts';
import { SUITES, type Suite, trafficKey } from './key-schedule.ts';
import { hasRecords, type RecordAddon, RecordKeys } from './record-keys.ts';
import { RecordStream } from './record-stream.ts';
import { sequenceOf } from './sequence.ts';

/** How many turns of the loop the last write of Node's TLS may take to be out: it takes one or two. */
const MOST_TURNS = 20;

/** Whether a relay over a connection is of use: TLS above it could be taken over. */
export function canTakeRecords(raw: Socket, loadAddon: () => NativeAddon = nativeAddon): boolean {
  try {
    return !(raw instanceof TLSSocket) && descriptorOf(raw) !== undefined && hasRecords(loadAddon());
  } catch {
    return false;
  }
}

/** Waits until what was written by a socket over a relay has left, as far as that is soon; others do not wait. */
export async function settled(socket: Socket): Promise<void> {
  const relay = socket instanceof TLSSocket ? relayOf(socket) : undefined;
  if (relay === undefined) return;
  for (let turns = 0; turns < MOST_TURNS && !isSettled(socket, relay); turns++) await turn();
}

function isSettled(socket: Socket, relay: RecordRelay): boolean {
  return socket.destroyed || (socket.writableLength === 0 && relay.isQuiet);
}

/** Where a direction of a connection stands. */
interface Position {
  readonly secret: Buffer;
  /** of the next record */
  readonly sequence: number;
}

/**
 * Takes the connection under a TLS socket of Node over, between two records.
 *
 *   1. is it TLS 1.3 over a relay, with nothing under way and a suite that we have?
 *   2. the last record of either direction says how many there were: it can be opened under one number only
 *   3. what Node has opened already goes first, then the records that it was not given
 *
 * @returns undefined when any of it is in doubt: Node goes on then, and nothing has changed
 */
export function adoptTls(socket: TLSSocket, head: Buffer, loadAddon: () => NativeAddon): AdoptedConnection | undefined {
  const relay = relayOf(socket);
  if (relay === undefined) return undefined;
  const connection = socket.destroyed ? undefined : adopt(socket, relay, head, loadAddon);
  if (connection === undefined) relay.forget();
  return connection;
}

function adopt(
  socket: TLSSocket,
  relay: RecordRelay,
  head: Buffer,
  loadAddon: () => NativeAddon,
): AdoptedConnection | undefined {
  const suite = suiteOf(socket);
  const fd = descriptorOf(relay.raw);
  if (suite === undefined || fd === undefined || !isSettled(socket, relay) || socket.readableEnded) return undefined;
  const { client, server } = relay.secrets;
  const isClient = relay.role === 'client';
  const opening = positionOf(relay.lastInbound, suite, isClient ? server : client);
  const sealing = positionOf(relay.lastOutbound, suite, isClient ? client : server);
  if (opening === undefined || sealing === undefined) return undefined;
  const taken = take(loadAddon, fd, suite, opening, sealing);
  if (taken === undefined) return undefined;
  relay.hold();
  const early = Buffer.concat([head, ...drain(socket)]);
  const sealed = relay.takeOver();
  tune(fd);
  relay.raw.destroy();
  socket.destroy();
  return { ...taken, stream: new RecordStream({ ...taken, isClient, early: sealed }), early, kind: 'native-tls' };
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
