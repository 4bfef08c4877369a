// Frames that stages of the bridge want to read whatever flow they belong to, so that no flow takes them past it: ARP,
// DHCP, IGMP, and what ICMPv6 says of neighbours, routers and groups. Behind at most two tags; a frame whose headers end
// before it can be told is one of them.
#ifndef ETHERWS_CONTROL_FRAME_H
#define ETHERWS_CONTROL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

// `length` is at least that of an Ethernet header. Frames to group addresses are told by their address: not here.
bool etherws_is_control_frame(const uint8_t *frame, uint32_t length);

#endif
