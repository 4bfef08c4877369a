import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareNamespace } from '../../../test/support/fast-lab.ts';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { until } from '../../../test/support/waits.ts';
import { nativeAddon } from '../../native/addon.ts';
import { TALLY_REASONS } from '../../native/devices.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { describeFrame } from '../../wire/ethernet/frame-summary.ts';
import { tally } from './device-slab.ts';
import { takeFaultExample } from './fault-example.ts';
import { closeDescriptor } from './link-monitor.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace();
const TOO_LONG = TALLY_REASONS.indexOf('tooLong');

before(() => {
  if (skip === false) prepareNamespace();
});

test('what a device refuses is shown once, with its offload header', { skip }, async (t) => {
  const port = await TapPort.open('refuses');
  t.after(() => port.close());
  const events = new PortRecorder();
  port.open(events);
  const { frame, header } = superFrameOf({ payload: Buffer.alloc(600), tags: [7] }, 300);
  // A checksum that would begin behind the frame's end: the kernel takes no such header.
  const lying = { ...header, checksumStart: 60_000 };
  for (const count of [1, 2]) {
    const batch = batchWithHeaders(Array.from({ length: count }, () => ({ frame, header: lying })));
    for (let index = 0; index < count; index++) assert.equal(port.send(batch, index), undefined);
    port.flush(false);
  }
  assert.equal(events.discards.get('tx badOffload'), 3);
  assert.equal(events.examples.length, 1);
  assert.match(
    events.examples[0] ?? '',
    /^tx badOffload: .*, VLAN 7, IPv4 .* TCP, 658 octets, needs a checksum at 60000\+16, segments of 300 octets/,
  );
});

test('what is too long to be read is shown as far as it was read', { skip }, async (t) => {
  const addon = nativeAddon();
  const { descriptor } = addon.openTap('narrow', -1, 1 << 20);
  t.after(() => closeDescriptor(descriptor));
  addon.changeLink(addon.readLink('narrow').index, 1, -1, -1);
  const kernel = await NetdevPort.open('narrow');
  t.after(() => kernel.close());
  kernel.open(new PortRecorder());
  addon.readsFrames(descriptor, 100);
  let shown = '';
  addon.watch(descriptor, () => {
    if (tally[TOO_LONG] === 0 || shown.includes('VLAN 7')) return;
    const example = takeFaultExample(TOO_LONG);
    shown = example === undefined ? '' : describeFrame(example);
  });
  const frame = Buffer.concat([
    Buffer.from('02000000000202000000000181000007 88b5'.replace(' ', ''), 'hex'),
    Buffer.alloc(182),
  ]);
  assert.equal(kernel.send(batchOf(frame), 0), undefined);
  kernel.flush(false);
  // What the kernel says by itself on a new device fits or does not matter.
  await until(() => shown.includes('VLAN 7'));
  assert.match(shown, /^02:00:00:00:00:01 > 02:00:00:00:00:02, VLAN 7, type 0x88b5, 10\d octets$/);
  assert.equal(takeFaultExample(TOO_LONG), undefined, 'an example is shown once');
});
