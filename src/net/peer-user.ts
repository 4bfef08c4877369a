import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { nativeAddon } from '../native/addon.ts';
import { descriptorOf } from './socket-descriptor.ts';
import { findUserInTables } from './socket-tables.ts';

/**
 * The uid of the process that opened the other end of a connection within this host: by TCP in this network namespace,
 * or by a Unix socket.
 * @returns undefined if the other end is closed, or its user is not mapped into our user namespace
 */
export function peerUserOf(socket: Socket): number | undefined {
  const uid = readPeerUser(socket);
  return uid === undefined || isUnmapped(uid) ? undefined : uid;
}

function readPeerUser(socket: Socket): number | undefined {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return undefined;
  let uid: number;
  try {
    uid = nativeAddon().readPeerUser(descriptor);
  } catch {
    // Without the addon, or without sock_diag in the kernel. The callers of a Unix socket then count as our own user: the
    // mode of the socket's file admits only users that may command the switch.
    return socket.remoteAddress === undefined ? process.geteuid?.() : findUserInTables(socket);
  }
  return uid < 0 ? undefined : uid;
}

/** In a user namespace the kernel reports one uid for all users that are not mapped. */
function isUnmapped(uid: number): boolean {
  unmappedUid ??= readUnmappedUid();
  return uid === unmappedUid;
}

/** That uid; -1 if all users are mapped; undefined until it was read. */
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
