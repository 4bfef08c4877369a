import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import type { BridgePortValues } from '../../src/schema/bridge-port-options.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import type { Line } from './line.ts';
import type { StationFacts } from './model.ts';
import type { SimulatedSwitch } from './simulated-switch.ts';

export function macOf(station: number): string {
  return `0200000000${(station + 1).toString(16).padStart(2, '0')}`;
}

/** The settings of a station's port. */
export function valuesOf(station: StationFacts & { storm?: number | undefined }): BridgePortValues {
  const { mode, pvid, vlans, isIsolated, storm } = station;
  const tagged = vlans.length === 0 ? {} : { vlans: vlans.join(',') };
  return {
    ...(mode === 'transparent' ? {} : { vlanMode: mode, pvid, ...tagged }),
    ...(storm === undefined ? {} : { storm: `broadcast=${storm}` }),
    isolated: isIsolated,
  };
}

/** A station at a device of a switch: it sends and gets frames, and counts them. */
export class DeviceStation {
  bridgePort: BridgePort | undefined;
  delivered = 0;
  got = 0;
  #port: MemoryPort | undefined;
  readonly #receives: (frame: Buffer) => void;

  constructor(receives: (frame: Buffer) => void) {
    this.#receives = receives;
  }

  attach({ etherSwitch }: SimulatedSwitch, name: string, network: string, values: BridgePortValues): void {
    const port = new MemoryPort({ target: name });
    port.onFrames((frames) => {
      for (const frame of frames) {
        this.got++;
        this.#receives(frame);
      }
    });
    this.delivered = 0;
    this.got = 0;
    this.#port = port;
    this.bridgePort = etherSwitch.port(etherSwitch.attach(port, { network, name, values }));
  }

  /** The port was removed. */
  gone(): void {
    this.#port = undefined;
    this.bridgePort = undefined;
  }

  send(...frames: Buffer[]): void {
    if (this.#port === undefined) return;
    this.delivered += frames.length;
    this.#port.deliver(...frames);
  }

  setLink(isUp: boolean): void {
    this.#port?.setLink(isUp ? 'up' : 'down');
  }
}

/** A peer of a switch that speaks the protocol of tunnels by itself, and sends what it likes. */
export class TunnelStation {
  #tunnel: TunnelPort | undefined;
  #line: Line | undefined;
  readonly #receives: (frame: Buffer) => void;

  constructor(receives: (frame: Buffer) => void) {
    this.#receives = receives;
  }

  get isConnected(): boolean {
    return this.#tunnel !== undefined;
  }

  /** @param resume the field with its token, or with one of another user */
  connect(peer: SimulatedSwitch, line: Line, { user, network }: { user: string; network: string }, resume = '1'): void {
    this.leave();
    peer.accept({ user, network, resume, says: undefined, line });
    const tunnel = new TunnelPort({ type: 'client', target: 'liar', transport: line.ends[0], wire: 'batched' });
    this.#tunnel = tunnel;
    this.#line = line;
    tunnel.open({
      receive: (batch) => {
        for (let index = 0; index < batch.count; index++) this.#receives(Buffer.from(batch.frame(index)));
        return undefined;
      },
      linkChanged: () => {
        if (this.#tunnel === tunnel) this.#tunnel = undefined;
        void tunnel.close();
      },
      discarded: () => undefined,
    });
  }

  send(...frames: Buffer[]): void {
    const batch = batchOf(...frames);
    for (let index = 0; index < batch.count; index++) this.#tunnel?.send(batch, index);
    this.#tunnel?.flush(false);
  }

  /** Changes an octet of what it sends next. */
  damage(): void {
    this.#line?.damage();
  }

  leave(): void {
    void this.#tunnel?.close();
    this.#tunnel = undefined;
    this.#line?.cut();
  }
}
