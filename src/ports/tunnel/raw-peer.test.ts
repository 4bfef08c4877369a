import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { RawPeer } from './raw-peer.ts';

const [A, B] = ['020000000001', '020000000002'];
const GROUP = 'ffffffffffff';

/** A frame of 60 octets, all of them other than in any other frame. */
function frame(to: string, from: string): Buffer {
  return Buffer.concat([Buffer.from(to + from, 'hex'), randomBytes(48)]);
}

function send(peer: RawPeer, ...frames: Buffer[]): void {
  const batch = batchOf(...frames);
  for (let index = 0; index < batch.count; index++) peer.sent(batch, index);
}

const judged = (peer: RawPeer, bytes: Buffer): string | undefined => peer.refusalOf(bytes, 0, bytes.length);

describe('the frame behind a ping', () => {
  test('goes from an address to the same one, has 60 octets, and is no station at our end', () => {
    for (const isDialled of [false, true]) {
      const filler = new RawPeer(isDialled).filler();
      assert.equal(filler.length, 60);
      assert.deepEqual(filler.subarray(0, 6), filler.subarray(6, 12));
      assert.equal((filler[0] as number) & 3, 2, 'locally administered, and no group address');
      assert.equal(judged(new RawPeer(isDialled), filler), 'filler');
      assert.equal(judged(new RawPeer(isDialled), Buffer.concat([filler, randomBytes(1454)])), 'filler', 'with junk');
    }
  });

  test('has one random address a tunnel, so that two tunnels to one bridge do not contend for it', () => {
    const peer = new RawPeer(true);
    assert.deepEqual(peer.filler(), peer.filler());
    assert.notDeepEqual(peer.filler(), new RawPeer(true).filler());
  });

  test('has the address of the one station behind the tunnel: a relay may know no more than the last source', () => {
    const peer = new RawPeer(true);
    send(peer, frame(B, A), frame(GROUP, A));
    assert.equal(peer.filler().toString('hex', 0, 12), A + A);
    send(peer, frame(A, B));
    assert.notEqual(peer.filler().toString('hex', 0, 6), A);
    assert.notEqual(peer.filler().toString('hex', 0, 6), B);
  });

  test('has an address of its own once the station has moved to the other side', () => {
    const peer = new RawPeer(true);
    send(peer, frame(B, A));
    assert.equal(judged(peer, frame(B, A)), undefined);
    assert.notEqual(peer.filler().toString('hex', 0, 6), A);
  });

  test('is not confused with other frames', () => {
    const filler = new RawPeer(false).filler();
    for (let at = 0; at < 14 + 20; at++) {
      const other = Buffer.from(filler);
      other[at] = (other[at] as number) ^ 2;
      assert.equal(judged(new RawPeer(false), other), undefined, `octet ${at}`);
    }
    assert.equal(judged(new RawPeer(false), filler.subarray(0, 14)), undefined);
  });
});

describe('group frames that come back', () => {
  test('are refused by a tunnel that we dialled', () => {
    const peer = new RawPeer(true);
    const [sent, other] = [frame(GROUP, A), frame(GROUP, A)];
    send(peer, sent);
    assert.equal(judged(peer, sent), 'echoed');
    assert.equal(judged(peer, sent), 'echoed', 'each time');
    assert.equal(judged(peer, other), undefined);
  });

  test('also when they left padded', () => {
    const peer = new RawPeer(true);
    const short = frame(GROUP, A).subarray(0, 42);
    send(peer, short);
    assert.equal(judged(peer, Buffer.concat([short, Buffer.alloc(18)])), 'echoed');
  });

  test('are frames where the peer dialled us, and where they are unicast', () => {
    const accepted = new RawPeer(false);
    const [group, unicast] = [frame(GROUP, A), frame(B, A)];
    send(accepted, group);
    assert.equal(judged(accepted, group), undefined);
    const dialled = new RawPeer(true);
    send(dialled, unicast);
    assert.equal(judged(dialled, unicast), undefined);
  });
});
