import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { nativeAddon } from '../native/addon.ts';
import { descriptorOf } from './socket-descriptor.ts';
import { findUserInTables } from './socket-tables.ts';

/**
 * The uid of the process that opened the other end of a connection within this host: of TCP in this network namespace,
 * or of a Unix socket.
 * @returns undefined where it cannot be known: the other end has been closed, or its user has no number in our user
 *   namespace
 */
export function peerUserOf(socket: Socket): number | undefined {
  const uid = askKernel(socket);
  return uid === undefined || isUnmapped(uid) ? undefined : uid;
}

function askKernel(socket: Socket): number | undefined {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return undefined;
  let uid: number;
  try {
    uid = nativeAddon().readPeerUser(descriptor);
  } catch {
    // The addon was not built, or the kernel has no sock_diag.
    return socket.remoteAddress === undefined ? process.geteuid?.() : findUserInTables(socket);
  }
  return uid < 0 ? undefined : uid;
}

/** In a user namespace all users that it does not map seem to be the same one. */
function isUnmapped(uid: number): boolean {
  unmappedUid ??= readUnmappedUid();
  return uid === unmappedUid;
}

/** -1 where every user has a number of its own. */
let unmappedUid: number | undefined;

function readUnmappedUid(): number {
  try {
    const [inside, outside, count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
    if (inside === '0' && outside === '0' && count === '4294967295') return -1;
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch {
    return -1;
  }
}
