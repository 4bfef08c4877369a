/**
 * etherws as a library: a switch, its ports, and the frames that pass through it.
 * Loading it needs neither a device nor the addon; opening a TAP or a
 * network device needs the addon.
 * `OPEN_DOOR`, `connectTunnel` and `WebSocketPort` are former names, kept for one release.
 */
export {
  ALLOW_ALL,
  ALLOW_ALL as OPEN_DOOR,
  type Authenticator,
  type Credentials,
  type Verdict,
} from './auth/authenticator.ts';
export { HtpasswdAuthenticator, type HtpasswdOptions } from './auth/htpasswd.ts';
export { Bridge } from './bridge/bridge.ts';
export type { BridgeOptions } from './bridge/bridge-options.ts';
export type { BridgePort, PortNumber } from './bridge/bridge-port.ts';
export type { BridgeTrace } from './bridge/bridge-trace.ts';
export type { Counters } from './bridge/counters.ts';
export type { FilteringEntry } from './bridge/fdb.ts';
export type {
  CloseReason,
  Direction,
  DiscardReason,
  LinkState,
  Port,
  PortEvents,
  PortType,
} from './bridge/port.ts';
export type {
  Described,
  InterfaceAddress,
  InterfaceChange,
  InterfaceSettings,
  NetworkInterface,
  PortDetails,
} from './bridge/port-details.ts';
export { type ErrorCode, EtherwsError } from './errors.ts';
export { Switch, type SwitchOptions } from './networks/switch.ts';
export type { Logger } from './observability/logger.ts';
export { NetdevPort } from './ports/device/netdev-port.ts';
export { TapPort } from './ports/device/tap-port.ts';
export { MemoryPort, type MemoryPortOptions } from './ports/memory-port.ts';
export { TunnelServer } from './ports/tunnel/accept/accept-tunnel.ts';
export type { TunnelServerOptions } from './ports/tunnel/accept/server-options.ts';
export { ClientPort, type ClientPortOptions } from './ports/tunnel/dial/client-port.ts';
export { type DialTunnelOptions, dialTunnel, dialTunnel as connectTunnel } from './ports/tunnel/dial/dial-tunnel.ts';
export type { ReconnectionOptions } from './ports/tunnel/dial/reconnection.ts';
export { ResumeTicket } from './ports/tunnel/resume/resume-ticket.ts';
export { SwitchInstance } from './ports/tunnel/switch-instance.ts';
export { TunnelPort, TunnelPort as WebSocketPort } from './ports/tunnel/tunnel-port.ts';
export { batchOf, FrameBatch } from './wire/ethernet/frame-batch.ts';
export { formatMacAddress, type MacAddress, parseMacAddress } from './wire/ethernet/mac-address.ts';
