import type { TestContext } from 'node:test';
import { TunnelSocket } from './tunnel-socket.ts';
import { once } from './waits.ts';

const STATION = { mac: Buffer.from([2, 0, 0, 0, 0, 0x77]), ip: Buffer.from([192, 0, 2, 7]) };

/** The station 192.0.2.7, 02:00:00:00:00:77, which answers ARP, behind a tunnel to a switch on the loopback. */
export async function openStation(t: TestContext, port: number): Promise<void> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${port}/`);
  t.after(() => tunnel.terminate());
  tunnel.on('error', () => undefined);
  await once(tunnel, 'open');
  tunnel.on('message', (data) => {
    const frame = data as Buffer;
    const isRequest = frame.readUInt16BE(12) === 0x0806 && frame.readUInt16BE(20) === 1;
    if (!isRequest || !frame.subarray(38, 42).equals(STATION.ip)) return;
    const asking = frame.subarray(6, 12);
    const head = Buffer.concat([asking, STATION.mac, frame.subarray(12, 20), Buffer.from([0, 2])]);
    tunnel.send(Buffer.concat([head, STATION.mac, STATION.ip, asking, Buffer.alloc(4)]));
  });
}
