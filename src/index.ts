/**
 * etherws as a library: a switch, the ways in and out of it, and the bytes that
 * cross it. Loading it needs no device and no compiler; opening a TAP or a
 * network device needs the addon.
 */
export { type Authenticator, type Credentials, OPEN_DOOR, type Verdict } from './auth/authenticator.ts';
export { HtpasswdAuthenticator, type HtpasswdOptions } from './auth/htpasswd.ts';
export { Bridge, type BridgeOptions, type BridgeTrace } from './bridge/bridge.ts';
export type { BridgePort, PortNumber } from './bridge/bridge-port.ts';
export type { Counters } from './bridge/counters.ts';
export type { FilteringEntry } from './bridge/filtering-database.ts';
export type {
  CloseReason,
  Direction,
  DiscardReason,
  InterfaceAddress,
  InterfaceChange,
  InterfaceSettings,
  LinkState,
  NetworkInterface,
  Port,
  PortEvents,
  PortType,
} from './bridge/port.ts';
export { Switch, type SwitchOptions } from './daemon/switch.ts';
export { type ErrorCode, EtherwsError } from './errors.ts';
export type { Logger } from './observability/logger.ts';
export { MemoryPort, type MemoryPortOptions } from './ports/memory-port.ts';
export { NetdevPort } from './ports/netdev-port.ts';
export { TapPort } from './ports/tap-port.ts';
export { ClientPort, type ClientPortOptions } from './ports/websocket/client-port.ts';
export type { ReconnectionOptions } from './ports/websocket/reconnection.ts';
export { ResumeTicket } from './ports/websocket/resume-ticket.ts';
export { SwitchInstance } from './ports/websocket/switch-instance.ts';
export { type ConnectTunnelOptions, connectTunnel } from './ports/websocket/ws-client.ts';
export { WebSocketPort } from './ports/websocket/ws-port.ts';
export { TunnelServer, type TunnelServerOptions } from './ports/websocket/ws-server.ts';
export { batchOf, FrameBatch } from './wire/frame-batch.ts';
export { formatMacAddress, type MacAddress, parseMacAddress } from './wire/mac-address.ts';
