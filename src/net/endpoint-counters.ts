/** Counters of one listening service, since it was opened. */
export class EndpointCounters {
  /** connections accepted */
  connections = 0;
  /** connections closed before they presented credentials, to make room for newer ones */
  displaced = 0;
  /** connections closed because the handshake or the request took longer than the timeout */
  handshakeTimeouts = 0;
  /** connections of trusted proxies that began with a malformed PROXY header */
  badProxyHeaders = 0;
  /** requests and opening handshakes that violate HTTP or WebSocket */
  badRequests = 0;
  /** connections and tunnels refused because of the limit per address */
  overAddressShare = 0;
  /** connections and tunnels refused because of the limit of all */
  full = 0;
  /** connections and tunnels refused, or closed to make room, because the limit of open files is near */
  outOfDescriptors = 0;
  /** tunnels refused because of the limit per user */
  overUserShare = 0;
  /** logins with wrong credentials */
  failedLogins = 0;
  /** logins refused without a check, because their address had failed too often */
  throttledLogins = 0;
  /** opening handshakes refused because of the Origin of their web page */
  foreignPages = 0;
  /** lost tunnels that were resumed by another connection of their client */
  resumed = 0;
  /** requests with valid credentials of users that are not authorized */
  forbidden = 0;
}
