import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { Port } from '../../src/bridge/port.ts';
import { nativeAddon } from '../../src/native/addon.ts';
import { NativeFlowTable } from '../../src/native/flow-table.ts';
import { offloadEngine } from '../../src/native/offload-engine.ts';
import { NetdevPort } from '../../src/ports/device/netdev-port.ts';
import { TapPort } from '../../src/ports/device/tap-port.ts';
import type { TunnelLimits } from '../../src/ports/stream/limits.ts';
import { NativeTransport } from '../../src/ports/stream/native-transport.ts';
import type { Wire } from '../../src/ports/stream/packing.ts';
import { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import { PortRecorder, testFrame } from './port-recorder.ts';
import { greet, type SocketPair, socketPair } from './socket-pair.ts';
import type { ServerIdentity } from './web-socket-peer.ts';

/** A bridge with a flow table, which counts the frames that do not follow a flow. */
export class CountingBridge {
  readonly bridge: Bridge = new Bridge({ flowTable: new NativeFlowTable(), offloadEngine: offloadEngine() });
  /** the number of frames given to `receive` */
  frames = 0;

  attach(port: Port): BridgePort {
    const bridgePort = this.bridge.attach(port);
    port.open({
      receive: (batch) => {
        this.frames += batch.count;
        return this.bridge.receive(bridgePort, batch, performance.now());
      },
      linkChanged: (state, reason) => this.bridge.setLink(bridgePort, state, reason),
      discarded: (direction, reason, frames) => bridgePort[direction].discard(reason, frames),
    });
    return bridgePort;
  }
}

/** A frame between two stations, whose addresses are made of a number. */
export function stationFrame(from: number, to: number, number: number, length = 60): Buffer {
  const frame = testFrame(number, length);
  frame.writeUIntBE(0x020000000000 + to, 0, 6);
  frame.writeUIntBE(0x020000000000 + from, 6, 6);
  return frame;
}

/** A TAP device as a port, and the host's side of it. */
export interface TapHost {
  readonly port: TapPort;
  readonly heard: PortRecorder;
  send(...frames: readonly Buffer[]): void;
}

export async function openTapHost(t: TestContext, name: string): Promise<TapHost> {
  const port = await TapPort.open(name);
  t.after(() => port.close());
  const kernel = await NetdevPort.open(port.target);
  t.after(() => kernel.close());
  const heard = new PortRecorder();
  kernel.open(heard);
  const send = (...frames: readonly Buffer[]): void => {
    const batch = batchOf(...frames);
    for (let index = 0; index < batch.count; index++) assert.equal(kernel.send(batch, index), undefined);
    kernel.flush(false);
  };
  return { port, heard, send };
}

/** Prepares an own namespace: the loopback is up, and the kernel sends no frames by itself. */
export function prepareNamespace(): void {
  const { index } = nativeAddon().readLink('lo');
  nativeAddon().changeLink(index, 1, -1, -1);
  writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
}

/** A connection whose ends native code can take over. @param identity makes it TLS 1.3 */
export async function nativePair(identity?: ServerIdentity): Promise<SocketPair> {
  const pair = await socketPair(identity, { isTapped: identity !== undefined });
  if (identity !== undefined) await greet(pair);
  return pair;
}

/** One end of a tunnel as a port with a native transport. */
export function nativePort(
  socket: Socket,
  type: 'client' | 'server',
  wire: Wire = 'batched',
  limits: Partial<TunnelLimits> = { closeTimeoutMs: 200 },
): TunnelPort {
  const transport = NativeTransport.adopt(socket, Buffer.alloc(0));
  assert.ok(transport !== undefined, 'native code does not take the connection');
  return new TunnelPort({ type, target: 'peer', transport, wire, limits });
}

/** New TCP sockets of this namespace buffer at most 256 KiB in each direction. */
export function narrowSockets(): void {
  for (const name of ['tcp_wmem', 'tcp_rmem']) writeFileSync(`/proc/sys/net/ipv4/${name}`, '4096 262144 262144');
}

/** Both ends of a tunnel, not opened yet. */
export async function nativeTunnel(
  identity?: ServerIdentity,
  wire: Wire = 'batched',
): Promise<{ client: TunnelPort; server: TunnelPort }> {
  const { accepted, dialled } = await nativePair(identity);
  return { client: nativePort(dialled, 'client', wire), server: nativePort(accepted, 'server', wire) };
}

/** Enough turns of the event loop for frames that are under way on the loopback or in the kernel. */
export async function turns(count = 20): Promise<void> {
  for (let done = 0; done < count; done++) await turn();
}
