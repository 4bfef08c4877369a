// TCP's figures about the path of a connection. In a file of its own, because linux/tcp.h, which has all of them,
// cannot be included together with netinet/tcp.h.
#ifndef ETHERWS_TCP_PATH_H
#define ETHERWS_TCP_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_path {
  uint32_t shortest_us;    // shortest round trip of the last 300 s (net.ipv4.tcp_min_rtt_wlen)
  uint32_t round_trip_us;  // smoothed (RFC 6298)
  uint32_t variation_us;
  uint32_t unsent_bytes;  // octets in the send buffer that have not been sent
};

// Returns false with errno when the descriptor is no TCP connection's.
bool tcp_path_read(int fd, struct tcp_path *path);

#endif
