// Feeds lying super-frames and disturbed TCP flows to the offload code, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE native/fuzz/offload_fuzz.c native/offload/*.c
//   ./a.out SEED CASES
//
// Every frame lies in a piece of memory of exactly its size, so that one octet too many shows.
#include <sys/socket.h>
#include <unistd.h>

#include "../offload/gro.h"
#include "../offload/octets.h"
#include "drive.h"
#include "offload_frames.h"

enum { FLOW_FRAMES = 300, FLOW_PAYLOAD = 90 };

// What a run has to have met to have proved anything: super-frames that were merged, and encapsulated ones segmented.
static unsigned long supers, encapsulated, packs;

// The sum over pseudo-header and transport part of a finished frame comes out as all ones.
static bool checksum_is_right(const uint8_t *frame, uint32_t length, const struct etherws_headers *headers) {
  uint32_t transport_bytes = length - headers->transport_start;
  uint64_t sum = etherws_pseudo_sum(frame, headers, transport_bytes);
  return etherws_fold(etherws_sum(frame + headers->transport_start, transport_bytes, sum)) == 0xffff;
}

static struct etherws_records records_of(size_t size, uint32_t capacity) {
  return (struct etherws_records){.bytes = allocate(size),
                                  .size = size,
                                  .starts = allocate(capacity * sizeof(uint32_t)),
                                  .lengths = allocate(capacity * sizeof(uint32_t)),
                                  .capacity = capacity};
}

static void release(struct etherws_records *records) {
  free(records->bytes);
  free(records->starts);
  free(records->lengths);
}

// Lengths and checksums of an encapsulation around a segment.
static void require_sound_shell(const uint8_t *segment, uint32_t length, const struct etherws_headers *outer) {
  require(outer->network_end == length, "the length of an outer packet");
  const uint8_t *transport = segment + outer->transport_start;
  uint32_t transport_bytes = length - outer->transport_start;
  if (outer->protocol == PROTOCOL_UDP) {
    require(etherws_word(transport + UDP_LENGTH) == transport_bytes, "the length of an outer datagram");
    require(etherws_word(transport + UDP_CHECKSUM) == 0 || checksum_is_right(segment, length, outer),
            "the checksum of an outer datagram");
  }
  if (outer->protocol == PROTOCOL_GRE && (etherws_word(transport) & GRE_CHECKSUM_PRESENT) != 0) {
    require(etherws_fold(etherws_sum(transport, transport_bytes, 0)) == 0xffff, "the checksum of GRE");
  }
}

// The pieces of a super-frame, one behind the other, are its payload.
static void require_whole_payload(const struct etherws_frame *super, const struct etherws_records *out) {
  struct etherws_layers layers, again;
  require(etherws_check(super, &layers) == ETHERWS_OK, "headers found again");
  const struct etherws_headers *inner = etherws_inner(&layers);
  uint32_t at = inner->payload_start;
  for (uint32_t i = 0; i < out->count; i++) {
    const uint8_t *segment = out->bytes + out->starts[i];
    uint32_t length = out->lengths[i], piece = length - inner->payload_start;
    require(etherws_locate_described(segment, length, inner->transport_start, &again) == ETHERWS_OK &&
                again.outer_count == layers.outer_count && etherws_inner(&again)->network_end == length,
            "the headers of a segment");
    require(checksum_is_right(segment, length, inner), "checksum of a segment");
    for (uint32_t outer = 0; outer < again.outer_count; outer++)
      require_sound_shell(segment, length, &again.headers[outer]);
    require(memcmp(segment + inner->payload_start, super->bytes + at, piece) == 0, "payload of a segment");
    at += piece;
  }
  require(at == super->length, "all of the payload");
  if (layers.outer_count > 0) encapsulated++;
}

// Packs tell the truth, and cut as they say they are the segments.
static void require_whole_when_cut(const struct etherws_frame *super, const struct etherws_records *out) {
  struct etherws_records segments = records_of(700000, 2048);
  for (uint32_t i = 0; i < out->count; i++) {
    const uint8_t *bytes = out->bytes + out->starts[i];
    struct etherws_frame pack = {bytes, bytes - HEADER, out->lengths[i]};
    require(etherws_finish(&pack, 0, &segments) == ETHERWS_OK, "a pack tells the truth");
    if (pack.offload[1] != 0) packs++;
  }
  require_whole_payload(super, &segments);
  release(&segments);
}

static void fuzz_super_frame(void) {
  struct kind kind = any_kind();
  uint32_t payload_bytes = one_in(50) ? below(60000) : below(900);
  uint32_t gso_size = one_in(4) ? 0 : 1 + below(one_in(3) ? 20 : 1500);
  uint32_t size = HEADER + header_bytes_of(&kind) + payload_bytes;
  uint8_t *honest = allocate(size);
  build(honest, &kind, payload_bytes, gso_size, 1, below(1u << 31), below(65536));
  for (uint32_t shells = one_in(2) ? 1 + below(2) : 0; shells > 0; shells--) {
    uint8_t *wrapped = wrap(honest, &kind, &size);
    free(honest);
    honest = wrapped;
    kind = (struct kind){.is_ipv6 = etherws_word(honest + HEADER + 12) == 0x86dd};
  }
  if (one_in(3)) size = cut(honest, &kind, size);
  uint8_t *at = allocate(size);
  memcpy(at, honest, size);
  free(honest);
  mutate(at, size);
  if (one_in(10)) misplace_checksum(at, size - HEADER);

  struct etherws_frame frame = {at + HEADER, one_in(20) ? NULL : at, size - HEADER};
  // Mostly room for anything; now and then less than needed.
  size_t room = one_in(50) ? 700000 : one_in(3) ? (size_t)ETHERWS_RECORD_LEAD_BYTES + frame.length : below(6000);
  struct etherws_records out = records_of(room, one_in(5) ? 1 + below(40) : 2048);
  uint32_t offloads = one_in(2) ? ETHERWS_OFFLOAD_CHECKSUM | ETHERWS_OFFLOAD_USO : 0;
  enum etherws_fault fault = etherws_finish(&frame, offloads, &out);
  if (fault == ETHERWS_OK) {
    require(out.count >= 1 && out.end <= out.size && out.count <= out.capacity, "the bounds of the slab");
    if (etherws_owes(&frame) && frame.offload[1] != 0) require_whole_when_cut(&frame, &out);
  } else {
    require(out.count == 0 && out.end == 0, "nothing of what failed");
  }
  if (frame.offload != NULL) {
    enum etherws_fault checked = etherws_check_and_correct(&frame, at);
    require(fault == ETHERWS_NO_ROOM ? checked == ETHERWS_OK : checked == fault, "one opinion");
  }
  release(&out);
  free(at);
}

// Writes frames to a device that takes super-frames, merged where they can be, and appends what arrives at its other end
// to `merged`. Returns whether all of it arrived: a socket stands in for the device, and may be full.
static bool write_merged(const uint8_t *bytes, const struct etherws_records *in, bool has_headers,
                         struct etherws_records *merged) {
  int ends[2];
  int buffer_bytes = 1 << 21;
  require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0, "socketpair");
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  int *errors = allocate(in->count * sizeof *errors);
  uint32_t lost = etherws_gro_write(ends[0], bytes, in->starts, in->lengths, NULL, in->count, has_headers,
                                    ETHERWS_OFFLOAD_TSO4 | ETHERWS_OFFLOAD_TSO6, errors);
  uint32_t failed = 0;
  for (uint32_t i = 0; i < in->count; i++) failed += errors[i] != 0;
  require(lost == failed, "the count of errors");
  uint8_t *message = allocate(HEADER + 70000);
  for (ssize_t length; (length = read(ends[1], message, HEADER + 70000)) > 0;) {
    require(length >= HEADER && merged->count < in->count, "no more frames than came");
    uint8_t *to = etherws_begin_record(merged);
    memcpy(to - HEADER, message, (size_t)length);
    etherws_end_record(merged, (uint32_t)(length - HEADER));
  }
  free(message);
  free(errors);
  close(ends[0]);
  close(ends[1]);
  return lost == 0;
}

static bool is_record(const struct etherws_records *records, uint32_t i, const uint8_t *offload, const uint8_t *frame,
                      uint32_t length) {
  const uint8_t *record = records->bytes + records->starts[i];
  return records->lengths[i] == length && memcmp(record, frame, length) == 0 &&
         memcmp(record - HEADER, offload, HEADER) == 0;
}

// What leaves is one of the frames that came, octet by octet, or a super-frame that tells the truth.
static void require_as_it_came_or_sound(const uint8_t *bytes, const struct etherws_records *in, bool has_headers,
                                        const struct etherws_records *merged, uint32_t i) {
  static const uint8_t nothing_owed[HEADER];
  for (uint32_t j = 0; j < in->count; j++) {
    const uint8_t *frame = bytes + in->starts[j];
    if (is_record(merged, i, has_headers ? frame - HEADER : nothing_owed, frame, in->lengths[j])) return;
  }
  const uint8_t *frame = merged->bytes + merged->starts[i];
  struct etherws_frame super = {frame, frame - HEADER, merged->lengths[i]};
  struct etherws_layers found;
  require(etherws_check(&super, &found) == ETHERWS_OK, "a merged frame tells the truth");
  require(!found.is_encapsulated && found.headers[0].protocol == PROTOCOL_TCP, "only TCP is merged");
  supers++;
}

// Several flows in turns, some frames disturbed, in one slab without an octet to spare.
static void fuzz_flows(void) {
  uint32_t frames = 1 + below(one_in(10) ? FLOW_FRAMES : 40);
  struct kind kinds[3] = {any_kind(), any_kind(), any_kind()};
  uint32_t sequences[3] = {below(1u << 31), 0xffffff00u, 0};
  uint32_t ids[3] = {below(65536), 65530, 0};
  bool has_headers = !one_in(3);
  struct etherws_records in = records_of((size_t)frames * (HEADER + 600), frames);
  for (uint32_t i = 0; i < frames; i++) {
    uint32_t flow = below(3);
    uint32_t segments = one_in(6) ? 2 : 1;
    uint32_t payload_bytes = one_in(10) ? below(FLOW_PAYLOAD) : segments * FLOW_PAYLOAD;
    uint8_t *at = in.bytes + in.end;
    build(at, &kinds[flow], payload_bytes, segments > 1 ? FLOW_PAYLOAD : 0, flow, sequences[flow], ids[flow]);
    uint32_t length = header_bytes_of(&kinds[flow]) + payload_bytes;
    if (one_in(8)) mutate(at, HEADER + length);
    if (one_in(30)) length = below(length + 1);
    sequences[flow] += payload_bytes;
    ids[flow] += segments;
    in.starts[i] = (uint32_t)(in.end + HEADER);
    in.lengths[i] = length;
    in.end += HEADER + length;
  }
  in.count = frames;
  uint8_t *tight = allocate(in.end);
  memcpy(tight, in.bytes, in.end);

  struct etherws_records merged = records_of(in.end + (size_t)frames * ETHERWS_RECORD_LEAD_BYTES, frames);
  bool is_all = write_merged(tight, &in, has_headers, &merged);
  require(merged.end <= merged.size, "no more octets than came");
  for (uint32_t i = 0; i < merged.count; i++) require_as_it_came_or_sound(tight, &in, has_headers, &merged, i);
  require(frames > 40 || is_all, "a socket takes forty frames");
  release(&merged);
  release(&in);
  free(tight);
}

static void begin_run(void) {}

static void run_case(unsigned long number) {
  if (number % 20 == 0) fuzz_flows();
  else fuzz_super_frame();
}

static void check_run(unsigned long cases) {
  require(cases < 20000 || (supers > 0 && encapsulated > 0 && packs > 0),
          "some frames are merged, some encapsulated, and some packed");
}
