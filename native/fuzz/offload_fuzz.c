// Feeds lying super-frames and disturbed TCP flows to the offload code, under the sanitizers:
//
//   cc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE native/fuzz/offload_fuzz.c native/offload/*.c
//   ./a.out SEED CASES
//
// Every frame lies in a piece of memory of exactly its size, so that one octet too many shows.
#include <sys/socket.h>
#include <unistd.h>

#include "../offload/merge.h"
#include "../offload/octets.h"
#include "drive.h"

enum { HEADER = ETHERWS_OFFLOAD_HEADER_BYTES, FLOW_FRAMES = 300, FLOW_PAYLOAD = 90 };

// What a run has to have met to have proved anything: super-frames that were merged, and encapsulated ones segmented.
static unsigned long supers, encapsulated, packs;

static bool one_in(uint32_t chances) { return below(chances) == 0; }

struct kind {
  bool is_ipv6, is_udp;
  uint32_t tags, option_bytes, extension_bytes;
};

static uint32_t header_bytes_of(const struct kind *kind) {
  uint32_t network = kind->is_ipv6 ? IPV6_HEADER_BYTES + kind->extension_bytes : IPV4_HEADER_BYTES;
  return ETHERNET_HEADER_BYTES + 4 * kind->tags + network +
         (kind->is_udp ? UDP_HEADER_BYTES : TCP_HEADER_BYTES + kind->option_bytes);
}

// An honest frame with its offload header, whose checksum is begun; `at` has room for both.
static void build(uint8_t *at, const struct kind *kind, uint32_t payload_bytes, uint32_t gso_size, uint32_t flow,
                  uint32_t sequence, uint32_t id) {
  uint32_t length = header_bytes_of(kind) + payload_bytes;
  uint8_t *frame = at + HEADER;
  memset(at, 0, HEADER + length - payload_bytes);
  frame[5] = 2;
  frame[11] = (uint8_t)flow;
  uint8_t *type = frame + 12;
  for (uint32_t tag = 0; tag < kind->tags; tag++, type += 4) etherws_write_word(type, 0x8100);
  etherws_write_word(type, kind->is_ipv6 ? 0x86dd : 0x0800);
  uint8_t *network = type + 2;
  uint8_t protocol = kind->is_udp ? PROTOCOL_UDP : PROTOCOL_TCP;
  uint8_t *transport;
  if (kind->is_ipv6) {
    transport = network + IPV6_HEADER_BYTES + kind->extension_bytes;
    network[0] = 0x60;
    etherws_write_word(network + 4, (uint32_t)(frame + length - network) - IPV6_HEADER_BYTES);
    network[6] = kind->extension_bytes == 0 ? protocol : 0;
    network[23] = (uint8_t)flow;
    if (kind->extension_bytes != 0) {
      network[IPV6_HEADER_BYTES] = protocol;
      network[IPV6_HEADER_BYTES + 1] = (uint8_t)(kind->extension_bytes / 8 - 1);
    }
  } else {
    transport = network + IPV4_HEADER_BYTES;
    network[0] = 0x45;
    etherws_write_word(network + 2, (uint32_t)(frame + length - network));
    etherws_write_word(network + IPV4_ID, id);
    network[9] = protocol;
    network[15] = (uint8_t)flow;
    etherws_write_sum(network + IPV4_CHECKSUM, (uint16_t)~etherws_fold(etherws_sum(network, IPV4_HEADER_BYTES, 0)));
  }
  if (kind->is_udp) {
    etherws_write_word(transport + UDP_LENGTH, (uint32_t)(frame + length - transport));
  } else {
    etherws_write_long(transport + TCP_SEQUENCE, sequence);
    transport[12] = (uint8_t)((TCP_HEADER_BYTES + kind->option_bytes) / 4 << 4);
    transport[TCP_FLAGS] = TCP_ACK;
  }
  for (uint32_t i = 0; i < payload_bytes; i++) frame[length - payload_bytes + i] = (uint8_t)below(256);
  at[0] = ETHERWS_FLAG_NEEDS_CSUM;
  if (gso_size != 0) {
    at[1] = kind->is_udp ? ETHERWS_GSO_UDP_L4 : kind->is_ipv6 ? ETHERWS_GSO_TCPV6 : ETHERWS_GSO_TCPV4;
  }
  etherws_write_little(at + 4, gso_size);
  etherws_write_little(at + 6, (uint32_t)(transport - frame));
  etherws_write_little(at + 8, kind->is_udp ? UDP_CHECKSUM : TCP_CHECKSUM);
}

static struct kind any_kind(void) {
  struct kind kind = {.is_ipv6 = one_in(2), .is_udp = one_in(4), .tags = below(3)};
  if (!kind.is_udp) kind.option_bytes = 4 * below(11);
  if (kind.is_ipv6 && one_in(3)) kind.extension_bytes = 8 * (1 + below(30));
  return kind;
}

static void mutate(uint8_t *at, uint32_t size) {
  static const uint8_t telling[] = {0, 1, 2, 3, 4, 5, 6, 17, 43, 44, 60, 0x45, 0x4f, 0x60, 0x80, 0x81, 0xff};
  if (size == 0) return;
  for (uint32_t changes = below(6); changes > 0; changes--) {
    uint32_t reach = one_in(2) ? HEADER : HEADER + (one_in(2) ? 110 : 220);
    at[below(reach < size ? reach : size)] = one_in(2) ? telling[below(sizeof telling)] : (uint8_t)below(256);
  }
}

// Ends the frame early, and mostly lets its IP length agree, so that what stands behind must notice.
static uint32_t cut(uint8_t *at, const struct kind *kind, uint32_t size) {
  uint32_t length = below(one_in(2) ? 160 : size - HEADER + 1);
  if (length > size - HEADER) return size;
  uint32_t network = ETHERNET_HEADER_BYTES + 4 * kind->tags;
  uint32_t fixed_bytes = kind->is_ipv6 ? IPV6_HEADER_BYTES : 0;
  if (length >= network + IPV6_HEADER_BYTES && !one_in(4)) {
    etherws_write_word(at + HEADER + network + (kind->is_ipv6 ? 4 : 2), length - network - fixed_bytes);
  }
  return HEADER + length;
}

// How an honest frame is carried by another one.
struct shell {
  bool is_ipv6, has_udp, has_checksum;
  bool is_bridged;  // an Ethernet frame is carried, not only its packet
  uint8_t protocol;
  uint32_t shim_bytes;  // of VXLAN, Geneve or GRE
  uint8_t shim[16];
};

static struct shell any_shell(bool inner_is_ipv6) {
  struct shell shell = {.is_ipv6 = one_in(2), .has_checksum = one_in(2)};
  const uint8_t type[2] = {inner_is_ipv6 ? 0x86 : 0x08, inner_is_ipv6 ? 0xdd : 0x00};
  shell.protocol = inner_is_ipv6 ? 41 : 4;
  switch (below(5)) {
    case 0: return shell;
    case 1: {  // GRE
      const uint8_t gre[12] = {shell.has_checksum ? 0xa0 : 0x20, 0, type[0], type[1]};
      shell.protocol = PROTOCOL_GRE;
      shell.shim_bytes = shell.has_checksum ? 12 : 8;
      memcpy(shell.shim, gre, sizeof gre);
      return shell;
    }
    case 2: shell.shim_bytes = 0; break;  // IP in UDP
    case 3: {                             // Geneve
      const uint8_t geneve[4] = {1, 0, type[0], type[1]};
      shell.shim_bytes = 12;
      memcpy(shell.shim, geneve, sizeof geneve);
      break;
    }
    default:  // VXLAN
      shell.shim_bytes = 8;
      shell.shim[0] = 8;
      shell.is_bridged = true;
  }
  shell.protocol = PROTOCOL_UDP;
  shell.has_udp = true;
  return shell;
}

// A copy of the frame of `*size` octets with its header, inside a shell. The caller frees it.
static uint8_t *wrap(const uint8_t *at, const struct kind *kind, uint32_t *size) {
  const struct shell shell = any_shell(kind->is_ipv6);
  uint32_t stripped = shell.is_bridged ? 0 : ETHERNET_HEADER_BYTES + 4 * kind->tags;
  uint32_t content_bytes = *size - HEADER - stripped;
  uint32_t network_bytes = shell.is_ipv6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  uint32_t transport_bytes = (shell.has_udp ? UDP_HEADER_BYTES : 0) + shell.shim_bytes + content_bytes;
  uint8_t *wrapped = allocate(HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes);
  memset(wrapped, 0, HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes);
  uint8_t *frame = wrapped + HEADER, *network = frame + ETHERNET_HEADER_BYTES, *transport = network + network_bytes;
  etherws_write_word(frame + 12, shell.is_ipv6 ? 0x86dd : 0x0800);
  if (shell.is_ipv6) {
    network[0] = 0x60;
    etherws_write_word(network + 4, transport_bytes);
    network[6] = shell.protocol;
  } else {
    network[0] = 0x45;
    etherws_write_word(network + 2, IPV4_HEADER_BYTES + transport_bytes);
    network[9] = shell.protocol;
  }
  uint8_t *shim = transport + (shell.has_udp ? UDP_HEADER_BYTES : 0);
  if (shell.has_udp) {
    etherws_write_word(transport + UDP_LENGTH, transport_bytes);
    etherws_write_word(transport + UDP_CHECKSUM, shell.has_checksum ? 1 + below(65535) : 0);
  }
  memcpy(shim, shell.shim, shell.shim_bytes);
  memcpy(shim + shell.shim_bytes, at + HEADER + stripped, content_bytes);
  uint32_t moved = (uint32_t)(shim + shell.shim_bytes - frame) - stripped;
  memcpy(wrapped, at, HEADER);
  etherws_write_little(wrapped + 6, etherws_little(at + 6) + moved);
  *size = HEADER + ETHERNET_HEADER_BYTES + network_bytes + transport_bytes;
  return wrapped;
}

// Puts the checksum around the end of the frame.
static void misplace_checksum(uint8_t *at, uint32_t length) {
  uint32_t end = length + below(5);
  uint32_t start = below(2) == 0 ? below(length + 1) : ETHERNET_HEADER_BYTES;
  if (end < start + 2) return;
  etherws_write_little(at + 6, start);
  etherws_write_little(at + 8, end - start - 2);
}

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
  uint32_t lost = etherws_write_coalesced(ends[0], bytes, in->starts, in->lengths, NULL, in->count, has_headers,
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

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: %s SEED CASES\n", arguments[0]);
    return 2;
  }
  state = strtoull(arguments[1], NULL, 10) * 2 + 1;
  unsigned long cases = strtoul(arguments[2], NULL, 10);
  for (unsigned long i = 0; i < cases; i++) {
    if (i % 20 == 0) fuzz_flows();
    else fuzz_super_frame();
  }
  require(cases < 1000 || (supers > 0 && encapsulated > 0 && packs > 0),
          "some frames are merged, some encapsulated, and some packed");
  printf("%lu cases with seed %s\n", cases, arguments[1]);
  return 0;
}
