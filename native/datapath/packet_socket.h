// Packet sockets, packet(7): every frame of a network device, in and out.
#ifndef ETHERWS_PACKET_SOCKET_H
#define ETHERWS_PACKET_SOCKET_H

#include "frames.h"

// Joins a network device, which is promiscuous until the socket is closed. Returns its file descriptor, or -errno and the
// call that failed.
int packet_open(int interface_index, bool has_vnet_header, int receive_buffer_bytes, const char **failed_call);

// Whether this kernel's packet sockets take datagram super-frames. It is tried with one frame on the loopback device, where
// nothing has a use for it; where that device is down, or no packet socket is allowed: false.
bool packet_takes_uso(void);

// As device_read and device_write.
int packet_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);
int packet_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally);

#endif
