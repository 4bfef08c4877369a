import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PortEntry } from '../../src/control/schema.ts';
import { checksumsIn, GOOD } from '../support/checksum-judge.ts';
import type { EtherwsSwitch } from '../support/etherws.ts';
import type { Exchanged } from '../support/exchange.ts';
import {
  createCredentials,
  LEFT,
  LEFT_TAP,
  openPair,
  PASSWORD,
  type Pair,
  type SwitchedPair,
  startSwitches,
  USER,
} from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

/**
 * The amount of data in each direction, at the same time, in each of the eight combinations. 1 GiB took 16 to 43 s on
 * two cores with other load (ws faster than wss); a smaller number is for quick runs.
 */
const { ETHERWS_MATRIX_MIB = '1024' } = process.env;
/** The recorded frames of each direction: enough to include full speed, when most are segments of super-frames. */
const RECORDED_FRAMES = 4000;
const RECORDED_MIB = '64';
const TIMEOUT_MS = 300_000;
const PORT = '8000';
const RELAY_PORT = '8001';
const EXCHANGE_PORT = '5001';

const WIRES = ['raw', 'batched'] as const;
const FAMILIES = ['v4', 'v6'] as const;
const ADDRESSES = { v4: LEFT.v4, v6: `[${LEFT.v6}]` } as const;

for (const scheme of ['ws', 'wss'] as const) {
  test(`both ways at once over ${scheme}://`, async (t) => {
    const pair = await openPair(t, ...(scheme === 'wss' ? ['openssl', 'htpasswd'] : []));
    if (pair === undefined) return;
    const { sw, addport } = scheme === 'wss' ? await security(pair) : { sw: [], addport: [] };
    // OpenSSL at one end checks the records of the other end, whatever library seals them.
    const lan = await startSwitches(pair, ['--port', PORT, ...sw], ['--port', PORT, '--aes', 'openssl']);
    for (const wire of WIRES) {
      for (const family of FAMILIES) {
        const title = `${ETHERWS_MATRIX_MIB} MiB each way, ${wire} wire, IP${family} inside and outside`;
        await t.test(title, async () => {
          const url = `${scheme}://${ADDRESSES[family]}:${PORT}/`;
          await lan.rightSwitch.done('addport', 'client', url, '--wire', wire === 'raw' ? 'raw' : 'auto', ...addport);
          await exchange(lan, LEFT_TAP[family], ETHERWS_MATRIX_MIB);
          await assertTunnel(lan.leftSwitch, 'server', wire);
          const client = await assertTunnel(lan.rightSwitch, 'client', wire);
          await lan.rightSwitch.done('delport', String(client.port));
        });
      }
    }
  });
}

test('what the raw wire carries needs nothing more done to it: every checksum is there', async (t) => {
  const pair = await openPair(t, 'tshark');
  if (pair === undefined) return;
  const lan = await startSwitches(pair);
  for (const family of FAMILIES) {
    await t.test(`IP${family}`, async () => {
      const file = join(pair.lab.directory, `${family}.pcap`);
      const relay = pair.left.spawn(
        program('recording-relay', LEFT.v4, RELAY_PORT, `ws://${LEFT.v4}:${PORT}/`, String(RECORDED_FRAMES), file),
        { timeoutMs: TIMEOUT_MS },
      );
      await relay.output(/listening/);
      await lan.rightSwitch.done('addport', 'client', `ws://${LEFT.v4}:${RELAY_PORT}/`, '--wire', 'raw');
      await exchange(lan, LEFT_TAP[family], RECORDED_MIB);
      await relay.output(/recorded/);
      const client = await assertTunnel(lan.rightSwitch, 'client', 'raw');
      await lan.rightSwitch.done('delport', String(client.port));
      await relay.end();

      const frames = checksumsIn(file);
      assert.equal(frames.length, 2 * RECORDED_FRAMES);
      const bad = frames.flatMap((statuses, index) =>
        statuses.every((status) => status === '' || status === GOOD) ? [] : [`frame ${index + 1}: ${statuses}`],
      );
      assert.deepEqual(bad, []);
      const segments = frames.filter(([, tcp]) => tcp === GOOD);
      assert.ok(segments.length > RECORDED_FRAMES, `only ${segments.length} frames of TCP`);
    });
  }
});

async function security(pair: Pair): Promise<{ sw: readonly string[]; addport: readonly string[] }> {
  const { authority, options } = await createCredentials(pair);
  return { sw: options, addport: ['--cacerts', authority.certificate, '--user', USER, '--passwd', PASSWORD] };
}

/** Both hosts send each other `mib` at the same time over one TCP connection; all octets must arrive unchanged. */
async function exchange({ left, right }: SwitchedPair, address: string, mib: string): Promise<void> {
  const start = (host: Host, role: string, ...seeds: string[]) =>
    host.spawn(program('exchange', role, address, EXCHANGE_PORT, mib, ...seeds), { timeoutMs: TIMEOUT_MS });
  const listening = start(left, 'listen', 'left', 'right');
  await listening.output(/listening/);
  const dialling = start(right, 'dial', 'right', 'left');
  const outcomes = [listening, dialling].map(async (process): Promise<Exchanged> => {
    const { status, stdout } = await process.exited;
    assert.equal(status, 0, String(process));
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Exchanged;
  });
  const bytes = Number(mib) * 2 ** 20;
  const whole: Exchanged = { sentBytes: bytes, receivedBytes: bytes, wrongAt: -1 };
  assert.deepEqual(await Promise.all(outcomes), [whole, whole]);
}

/** Asserts that the switch has one tunnel, of that wire, and that no port has discards for its offload headers. */
async function assertTunnel(lan: EtherwsSwitch, type: string, wire: string): Promise<PortEntry> {
  const ports = await lan.ports();
  for (const { type: which, rxDiscards, txDiscards } of ports) {
    for (const { badOffload = 0 } of [rxDiscards, txDiscards]) assert.equal(badOffload, 0, `of the ${which} port`);
  }
  const [tunnel, ...others] = ports.filter((port) => port.type === type);
  assert.ok(tunnel !== undefined);
  assert.deepEqual(others, []);
  assert.equal(tunnel.wire, wire);
  assert.equal(tunnel.state, 'up');
  return tunnel;
}

function program(name: string, ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`../support/${name}.js`, import.meta.url)), ...args];
}
