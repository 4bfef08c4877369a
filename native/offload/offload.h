// Checksums and segmentation in C: the fast counterpart of src/wire/offload. Both give the same octets, and tests compare
// them. This part does not use Node-API, allocates nothing, and compares each length before it uses it.
#ifndef ETHERWS_OFFLOAD_H
#define ETHERWS_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETHERWS_OFFLOAD_HEADER_BYTES = 10,  // the virtio-net header, see src/wire/offload/virtio-header.ts
  ETHERWS_RECORD_LEAD_BYTES = 4 + ETHERWS_OFFLOAD_HEADER_BYTES,
  ETHERWS_MAX_SEGMENTS = 2048,
  ETHERWS_MAX_DATAGRAMS = 128,
  ETHERWS_MAX_HEADER_BYTES = 256,
  ETHERWS_MAX_ENCAPSULATIONS = 3,
};

enum {
  ETHERWS_FLAG_NEEDS_CSUM = 1,
  ETHERWS_FLAG_DATA_VALID = 2,
  ETHERWS_FLAG_ENCAPSULATED = 0x80,  // our own mark, see src/wire/offload/virtio-header.ts
  ETHERWS_GSO_NONE = 0,
  ETHERWS_GSO_TCPV4 = 1,
  ETHERWS_GSO_TCPV6 = 4,
  ETHERWS_GSO_UDP_L4 = 5,
  ETHERWS_GSO_ECN = 0x80,
};

// Offloads that an egress can complete itself: OFFLOAD_* in src/wire/offload/virtio-header.ts.
enum {
  ETHERWS_OFFLOAD_CHECKSUM = 1,
  ETHERWS_OFFLOAD_TSO4 = 2,
  ETHERWS_OFFLOAD_TSO6 = 4,
  ETHERWS_OFFLOAD_TSO_ECN = 8,
  ETHERWS_OFFLOAD_USO = 16,
  ETHERWS_OFFLOAD_ENCAPSULATED = 32,
};

// 0: no fault. Then OFFLOAD_FAULTS in their order, and last a slab without room.
enum etherws_fault {
  ETHERWS_OK,
  ETHERWS_FAULT_FLAGS,
  ETHERWS_FAULT_GSO_TYPE,
  ETHERWS_FAULT_CHECKSUM_MISSING,
  ETHERWS_FAULT_CHECKSUM_PLACE,
  ETHERWS_FAULT_GSO_SIZE,
  ETHERWS_FAULT_TRUNCATED,
  ETHERWS_FAULT_IP_LENGTH,
  ETHERWS_FAULT_PROTOCOL,
  ETHERWS_FAULT_FRAGMENT,
  ETHERWS_FAULT_EXTENSION_HEADER,
  ETHERWS_FAULT_ENCAPSULATION,
  ETHERWS_NO_ROOM,
};

// A frame, and its offload header; NULL if it needs no offload.
struct etherws_frame {
  const uint8_t *bytes;
  const uint8_t *offload;
  uint32_t length;
};

// Positions of the headers of a frame, as offsets from its first octet.
struct etherws_headers {
  bool is_ipv6;
  int protocol;  // -1 until it is known
  uint32_t network_start;
  uint32_t network_end;  // behind the IP packet; an Ethernet pad may follow
  uint32_t transport_start;
  uint32_t payload_start;
};

// The headers from the outermost IP header to those that the offload header describes.
struct etherws_layers {
  bool is_encapsulated;  // the checksum is not that of the outermost IP packet
  uint32_t outer_count;
  struct etherws_headers headers[ETHERWS_MAX_ENCAPSULATIONS + 1];  // the one at outer_count is the inner one
};

static inline const struct etherws_headers *etherws_inner(const struct etherws_layers *layers) {
  return &layers->headers[layers->outer_count];
}

// A slab that records are appended to: [4 free octets][offload header][frame].
struct etherws_records {
  uint8_t *bytes;
  size_t size;
  size_t end;  // behind the last record
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t count;
  uint32_t capacity;
};

// One's complement sums (RFC 1071) in the byte order of the machine. The result must be stored in that order as well.
// Only the last piece of a sum may have an odd length.
uint64_t etherws_sum(const uint8_t *bytes, size_t length, uint64_t initial);
uint64_t etherws_copy_and_sum(uint8_t *to, const uint8_t *from, size_t length, uint64_t initial);
uint16_t etherws_fold(uint64_t sum);
// The sum of the pseudo-header for a transport part of `transport_bytes` octets.
uint64_t etherws_pseudo_sum(const uint8_t *frame, const struct etherws_headers *headers, uint32_t transport_bytes);

// Finds the TCP or UDP header. `found` is overwritten, also if there is a fault.
enum etherws_fault etherws_locate(const uint8_t *frame, uint32_t length, struct etherws_headers *found);

// Its parts: from an Ethernet header at `at` to the IP header, from there behind it, and behind a TCP or UDP header.
enum etherws_fault etherws_pass_ethernet(const uint8_t *frame, uint32_t at, uint32_t length,
                                         struct etherws_headers *found);
enum etherws_fault etherws_pass_network(const uint8_t *frame, uint32_t length, struct etherws_headers *found);
enum etherws_fault etherws_pass_transport(const uint8_t *frame, struct etherws_headers *found);

// As locateDescribed of src/wire/offload/encapsulation.ts: the TCP or UDP header that `checksum_start` points at, inside of
// encapsulations. `layers` is overwritten, but for is_encapsulated.
enum etherws_fault etherws_locate_described(const uint8_t *frame, uint32_t length, uint32_t checksum_start,
                                            struct etherws_layers *layers);

// Compares the offload header with the frame. Without a fault `found` has whether the frame is encapsulated, and for a
// super-frame the positions of its headers.
enum etherws_fault etherws_check(const struct etherws_frame *frame, struct etherws_layers *found);

// The same for `to_correct`, a header from an untrusted source: sets hdr_len, which cannot be checked, and our mark to the
// values that the frame has.
enum etherws_fault etherws_check_and_correct(const struct etherws_frame *frame, uint8_t *to_correct);

// Whether the frame needs an offload, or its header has a flag or type that is unknown.
static inline bool etherws_owes(const struct etherws_frame *frame) {
  return frame->offload != NULL && ((frame->offload[0] & ~ETHERWS_FLAG_DATA_VALID) | frame->offload[1]) != 0;
}

// Sets the fields of a segment's headers, which were copied from its super-frame, as writeSegmentHeaders of
// src/wire/offload/gso-headers.ts. `payload_sum` is the sum of what follows the inner transport header.
struct etherws_place {
  uint32_t ordinal;  // 0: the first
  uint32_t payload_offset;
  bool is_last;
};
void etherws_write_segment_headers(uint8_t *frame, uint32_t length, const struct etherws_layers *layers,
                                   struct etherws_place place, uint64_t payload_sum);

// Appends the frames that `frame` stands for to an egress that takes `offloads`, or nothing and the reason.
enum etherws_fault etherws_finish(const struct etherws_frame *frame, uint32_t offloads, struct etherws_records *out);

// How many segments of a checked super-frame go into one datagram super-frame for such an egress; 1: each is sent alone.
uint32_t etherws_segments_in_pack(const struct etherws_frame *super, const struct etherws_layers *layers,
                                  uint32_t offloads);
// Appends the segments in packs of up to `most`. The caller guarantees the room that they need as single frames.
void etherws_pack(const struct etherws_frame *super, const struct etherws_layers *layers, uint32_t most,
                  struct etherws_records *out);

// Zeroes the offload header of the next record. The caller guarantees the room. Returns the first octet of its frame.
uint8_t *etherws_begin_record(struct etherws_records *out);
// Ends the record whose frame is `length` octets long.
void etherws_end_record(struct etherws_records *out, uint32_t length);

#endif
