// Packet sockets, packet(7): they receive every frame of a network device, and send frames through it.
#ifndef ETHERWS_PACKET_SOCKET_H
#define ETHERWS_PACKET_SOCKET_H

#include "frames.h"

// Opens a packet socket on a network device, which is promiscuous until it is closed. Returns the file descriptor, or -errno
// and the call that failed.
int packet_open(int interface_index, bool has_vnet_header, int receive_buffer_bytes, const char **failed_call);

// Whether this kernel's packet sockets take datagram super-frames. One frame is tried on the loopback device, where no
// receiver wants it. False where that device is down, or packet sockets are not permitted.
bool packet_takes_uso(void);

// As device_read and device_write.
int packet_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally);
int packet_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally);

#endif
