import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { StationSums, type SummedStation } from './station-sums.ts';

function station(vid: number, mac: number, sequence: number, isIsolated: boolean): SummedStation {
  return { vid: vid as Vid, mac: mac as MacAddress, sequence, isIsolated };
}

function sumsOf(...stations: readonly SummedStation[]): StationSums {
  const sums = new StationSums();
  for (const each of stations) sums.add(each);
  return sums;
}

const ADA = station(5, 0x02aa_bbcc_ddee, 7, false);
const BEN = station(4094, 0xffff_ffff_fffe, 0xffff_ffff, false);

test('nodes of any version have the same digest of a station', () => {
  // By fmix32 of the published MurmurHash3, computed in whole numbers of any size.
  const known = [
    [ADA, [0xd0c5_70da, 0x9365_aeb0]],
    [{ ...ADA, isIsolated: true }, [0xa26d_b529, 0x0f90_0bd6]],
    [BEN, [0xcddd_04b4, 0xc5fb_04e9]],
  ] as const;
  for (const [one, sums] of known) assert.deepEqual(sumsOf(one).digest, { count: 1, sums });
  assert.deepEqual(sumsOf(ADA, BEN).digest, { count: 2, sums: [0x9ea2_758e, 0x5960_b399] });
});

test('a digest is the same in whatever order stations come and go, and differs if one differs in one bit', () => {
  const random = new Random(1);
  const any = (): SummedStation =>
    station(random.below(4096), random.below(2 ** 24) * 2 ** 24 + random.below(2 ** 24), random.next(), random.once(2));
  for (let run = 0; run < 50; run++) {
    const [one, other, third] = [any(), any(), any()];
    const sums = sumsOf(one, other, third);
    sums.remove(other);
    assert.ok(sums.equals(sumsOf(third, one).digest));
    assert.deepEqual(sums.digest, sumsOf(third, one).digest);
    sums.remove(one);
    sums.remove(third);
    assert.deepEqual(sums.digest, { count: 0, sums: [0, 0] });
    const changed = [
      { ...one, isIsolated: !one.isIsolated },
      { ...one, sequence: (one.sequence ^ (1 << random.below(32))) >>> 0 },
      { ...one, vid: (one.vid ^ (1 << random.below(12))) as Vid },
    ];
    for (let bit = 0; bit < 48; bit++) {
      const isSet = Math.floor(one.mac / 2 ** bit) % 2 === 1;
      changed.push({ ...one, mac: (one.mac + (isSet ? -1 : 1) * 2 ** bit) as MacAddress });
    }
    for (const each of changed) {
      const { digest } = sumsOf(each);
      assert.notEqual(digest.sums[0], sumsOf(one).digest.sums[0]);
      assert.notEqual(digest.sums[1], sumsOf(one).digest.sums[1]);
      assert.ok(!sumsOf(one).equals(digest));
    }
  }
});

test('digests agree only if the number and both sums do', () => {
  const { count, sums } = sumsOf(ADA, BEN).digest;
  const [one, other] = sums;
  for (const differing of [
    { count: count + 1, sums },
    { count, sums: [one ^ 1, other] as const },
    { count, sums: [one, other ^ 1] as const },
  ]) {
    assert.equal(sumsOf(ADA, BEN).equals(differing), false);
  }
});
