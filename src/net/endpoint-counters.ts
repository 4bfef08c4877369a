/** What happened at the door of one service since it was opened. Plain numbers, each for one bound. */
export class EndpointCounters {
  /** connections that were taken */
  connections = 0;
  /** connections closed before they showed credentials, to make room for newer ones */
  displaced = 0;
  /** connections that were cut because they did not come to the point in time */
  handshakeTimeouts = 0;
  /** connections of trusted proxies that began with a PROXY header that cannot be read */
  badProxyHeaders = 0;
  /** requests and opening handshakes that break the rules of HTTP or WebSocket */
  badRequests = 0;
  /** connections and tunnels turned away since their address has its share already */
  overAddressShare = 0;
  /** connections and tunnels turned away since all places are taken */
  full = 0;
  /** connections and tunnels turned away, or cut to make room, since the limit of open files is near */
  outOfDescriptors = 0;
  /** tunnels refused since their user has its share already */
  overUserShare = 0;
  /** credentials that were wrong */
  failedLogins = 0;
  /** logins that were not even looked at, since their address had failed too often */
  throttledLogins = 0;
  /** opening handshakes of pages that may not join */
  foreignPages = 0;
  /** tunnels that were lost, and went on by another connection of their client */
  resumed = 0;
  /** users with valid credentials that may not do that */
  forbidden = 0;
}
