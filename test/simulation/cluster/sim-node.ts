import type { StationExchange } from '../../../src/bridge/mesh/station-exchange.ts';
import type { MacAddress } from '../../../src/wire/ethernet/mac-address.ts';

/** Stations are numbered; each has a MAC address. */
const FIRST_MAC = 0x0200_0000_0000;

export function macOf(station: number): MacAddress {
  return (FIRST_MAC + station) as MacAddress;
}

export function stationOf(mac: MacAddress): number {
  return mac - FIRST_MAC;
}

export function nameOf(node: number): string {
  return `n${String(node).padStart(4, '0')}`;
}

/** What a node asks of the model around it. */
export interface Surroundings {
  readonly nowMs: number;
  /** @returns false: the tunnel did not take it */
  send(from: number, to: string, kind: number, payload: Uint8Array): boolean;
  wakeBy(node: number, atMs: number): void;
}

/** A node of the simulation: the exchange of stations of the product, on some store of stations. */
export interface SimNode {
  readonly index: number;
  /** Whether it keeps what the others tell; the others only count it. */
  readonly isFull: boolean;
  readonly exchange: StationExchange;
  /** A frame of the station comes by a port of stations. */
  arrive(station: number): void;
  /** The port of the station is gone. */
  leave(station: number): void;
  linkDown(other: string): void;
}
