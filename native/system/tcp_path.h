// What a connection's TCP knows of its way. Apart from the rest, since the kernel's header, which has all of it, cannot
// stand beside the C library's.
#ifndef ETHERWS_TCP_PATH_H
#define ETHERWS_TCP_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_path {
  uint32_t shortest_us;    // of the last minutes
  uint32_t round_trip_us;  // smoothed, and by how much it varies (RFC 6298)
  uint32_t variation_us;
  uint32_t unsent_bytes;  // what waits in the kernel until it may be sent
};

// Returns false with errno when the descriptor is no TCP connection's.
bool tcp_path_read(int fd, struct tcp_path *path);

#endif
