// Control frames, which stages of the bridge read, so that no flow carries them past it: ARP, DHCP, IGMP, and ICMPv6's
// neighbour discovery, router discovery and MLD, behind at most two tags. A frame that is too short to be classified
// counts as a control frame.
#ifndef ETHERWS_CONTROL_FRAME_H
#define ETHERWS_CONTROL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

// `length` is at least that of an Ethernet header. Frames to group addresses match no flow anyway (flow_table.h).
bool etherws_is_control_frame(const uint8_t *frame, uint32_t length);

#endif
