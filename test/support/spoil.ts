import type { Random } from './random.ts';

/** Cuts, changes or tags a frame. */
export function spoil(random: Random, frame: Buffer): Buffer {
  let spoilt = Buffer.from(frame);
  if (random.once(4)) spoilt = spoilt.subarray(0, random.below(spoilt.length + 1));
  for (let changes = random.once(2) ? random.below(4) : 0; changes > 0 && spoilt.length > 12; changes--) {
    spoilt[random.between(12, spoilt.length - 1)] = random.below(256);
  }
  if (random.once(6) && spoilt.length >= 12) {
    const tags = Buffer.from('81000005'.repeat(random.between(1, 3)), 'hex');
    spoilt = Buffer.concat([spoilt.subarray(0, 12), tags, spoilt.subarray(12)]);
  }
  return spoilt;
}
