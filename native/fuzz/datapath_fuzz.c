// Drives the data path by scripts of random operations, with a host of its own (fake_host.h), under the sanitizers:
//
//   cc -g -O1 -D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -I INCLUDE native/fuzz/datapath_fuzz.c
//      native/datapath/*.c native/crypto/*.c native/offload/*.c -l:libcrypto.so.3 -lm
//   ./a.out SEED CASES
//
// Devices are datagram sockets and tunnels are stream sockets, with small buffers; at their far ends the script sends
// frames, in messages and records, in pieces, and reads what comes. In between it opens, pauses, closes in every state and
// from inside of every callback, installs and invalidates flows, and lets time pass.
//
// Each frame has a number. In the end each has come to the host or to where it was sent, once and in order; missing are
// only frames that a tally counted, and those of ends that were closed. Nothing is held then, and nothing is leaked.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "../datapath/outgoing.h"
#include "../datapath/send.h"
#include "../datapath/stream_ingress.h"
#include "../datapath/websocket_messages.h"
#include "fake_host.h"
#include "numbered_frames.h"

enum { STREAM_BYTES = 256 * 1024, STEPS = 250 };

static struct flow_table *table;
static unsigned depth;
static unsigned long held_up, by_host, waits, with_tag_room;

static void take_frame(struct end *end, const uint8_t *frame, uint32_t length) {
  uint32_t id;
  const uint8_t *tag;
  struct sent *sent = check_frame(frame, length, &id, &tag);
  require(&ends[sent->from] == end, "a frame of another end");
  require((tag != NULL) == sent->is_tagged && (tag == NULL || memcmp(tag, OWN_TAG, TAG) == 0), "a changed tag");
  sent->fate = AT_HOST;
  by_host++;
  struct end *egress = &ends[sent->to];
  if (end->is_closed || egress->is_closed || !one_in(2) || !datapath_may_flow(end->descriptor, egress->descriptor))
    return;
  struct flow_end *in = flow_end_of(end->descriptor), *out = flow_end_of(egress->descriptor);
  flow_end_join(in, table);
  flow_end_join(out, table);
  in->counters = end->counters;
  out->counters = egress->counters;
  const struct etherws_flow flow = {.ingress = end->descriptor,
                                    .egress = egress->descriptor,
                                    .until_ms = host.now_ms + below(5000),
                                    .max_frame_bytes = 65535,
                                    .change = change_to(sent->from, sent->to),
                                    .may_wait = one_in(2)};
  datapath_install_flow(frame, length, &flow);
}

static bool is_tunnel(const struct end *end) { return !end->is_closed && end->descriptor->kind == KIND_STREAM; }

static void send_by_host(struct end *end) {
  uint8_t slab[MAX_FRAME];
  if (!is_tunnel(end) || frame_count == FRAMES) return;
  const uint32_t start = 0, index = 0, length = build_frame(slab, end_count, (uint32_t)(end - ends));
  const struct etherws_batch batch = {slab, &start, &length, &index, 1, false};
  if (tunnel_send_frames(stream_of(end->descriptor), &batch, 0) < 0) end->has_failed = true;
}

static void read_by_host(struct end *end) {
  if (!is_tunnel(end)) return;
  const ssize_t count = tunnel_read(stream_of(end->descriptor));
  if (count <= 0 && count != -EAGAIN) end->has_failed = true;
}

// What a program does when it is called, and between two calls.
static void act(struct end *end) {
  struct end *other = &ends[below(end_count)];
  switch (below(12)) {
    case 0: return one_in(6) ? close_end(end) : (void)0;
    case 1: return one_in(10) ? close_end(other) : (void)0;
    case 2: return one_in(20) ? flow_table_invalidate(table) : (void)0;
    case 3: return send_by_host(other);
    case 4: return other == end ? (void)0 : read_by_host(other);
    case 5:
    case 6:
      if (!other->is_closed) datapath_await(other->descriptor, one_in(2) ? READABLE : 0);
      return;
    case 7:
      if (is_tunnel(other) && one_in(10)) {
        stream_end(stream_of(other->descriptor));
        other->has_failed = true;
      }
      return;
    default: return;
  }
}

static void react(struct end *end) {
  if (depth > 2 || !one_in(3)) return;
  depth++;
  act(end);
  depth--;
}

static void put(struct end *end, const uint8_t *bytes, size_t length) {
  if (stream_of(end->descriptor)->tunnel->tls == NULL) {
    memcpy(end->out + end->out_to, bytes, length);
    end->out_to += length;
    return;
  }
  for (size_t at = 0; at < length;) {
    const size_t piece = 1 + below((uint32_t)(length - at));
    end->out_to += etherws_seal_tls_records(&end->far_sealing, ETHERWS_APPLICATION_DATA, bytes + at, piece,
                                            end->out + end->out_to);
    at += piece;
  }
}

// The far end has frames for other ends, as one message; or a ping, a message of another type, or one in two fragments.
static void far_make(struct end *end) {
  uint8_t slab[8 * (MAX_FRAME + 16)], message[sizeof slab + 64];
  uint32_t starts[8], lengths[8];
  const struct tunnel *tunnel = stream_of(end->descriptor)->tunnel;
  if (end->out_to + 4 * sizeof message > STREAM_BYTES || frame_count + 8 > FRAMES) return;
  static const uint8_t KEY[4] = {1, 2, 3, 4};
  const uint8_t *key = tunnel->is_masking ? NULL : KEY;
  const uint32_t count = tunnel->is_batched ? 1 + below(8) : 1;
  uint32_t at = 0;
  const uint32_t to = any_target(end);
  for (uint32_t i = 0; i < count; i++) {
    starts[i] = at;
    lengths[i] = build_frame(slab + at, (uint32_t)(end - ends), one_in(40) ? below(end_count) : to);
    at += lengths[i];
  }
  const struct etherws_batch batch = {slab, starts, lengths, NULL, count, false};
  size_t length = tunnel->is_batched ? etherws_write_batch(message, &batch, key)
                                     : etherws_write_message(message, slab, lengths[0], lengths[0], key);
  if (one_in(6)) {
    uint8_t ping[6] = {0x89, key != NULL ? 0x80 : 0, 1, 2, 3, 4};
    put(end, ping, key != NULL ? 6 : 2);
  }
  if (one_in(8) && tunnel->is_batched) {
    uint8_t other[64];
    put(end, other, etherws_write_message(other, (const uint8_t *)"\xee-", 2, 2, key));
  }
  size_t payload, head = head_of(message, length, key != NULL, &payload);
  if (head == 0 || payload < 130 || payload > FRAGMENT_BYTES || !one_in(6)) return put(end, message, length);
  // The first 128 octets as a fragment with a header of its own, the rest behind another one.
  const uint32_t masked = key != NULL ? 0x80 : 0;
  uint8_t first[8] = {0x02, (uint8_t)(masked | 126), 0, 128, 1, 2, 3, 4};
  uint8_t rest[8] = {0x80, (uint8_t)(masked | 126), (uint8_t)((payload - 128) >> 8), (uint8_t)(payload - 128), 1, 2, 3,
                     4};
  put(end, first, masked ? 8 : 4);
  put(end, message + head, 128);
  put(end, rest, masked ? 8 : 4);
  put(end, message + head + 128, payload - 128);
}

static void far_send(struct end *end) {
  if (end->far < 0 || end->is_closed) return;
  if (end->descriptor->kind != KIND_STREAM) {
    uint8_t record[10 + MAX_FRAME] = {0};
    for (uint32_t i = 1 + below(30); i > 0 && frame_count < FRAMES; i--) {
      const struct device *device = device_of(end->descriptor);
      const uint32_t length = build_frame(record + 10, (uint32_t)(end - ends), any_target(end));
      const size_t lead = device->has_vnet_header ? 10 : 0;
      if (send(end->far, record + 10 - lead, lead + length, MSG_DONTWAIT) >= 0) continue;
      frame_count--;
      return;
    }
    return;
  }
  if (one_in(2)) far_make(end);
  size_t left = end->out_to - end->out_from, piece = left == 0 ? 0 : 1 + below((uint32_t)left);
  ssize_t sent = piece == 0 ? 0 : send(end->far, end->out + end->out_from, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) end->out_from += (size_t)sent;
  if (end->out_from == end->out_to) end->out_from = end->out_to = 0;
}

static void far_parse(struct end *end, uint8_t *bytes, size_t length, bool is_masked, bool is_batched) {
  size_t at = 0;
  uint32_t start, size, starts[1024], lengths[1024];
  for (;;) {
    struct etherws_messages message = {&start, &size, 0, 1}, found = {starts, lengths, 0, 1024};
    at = etherws_read_messages(bytes, at, length, is_masked, 1 << 20, &message);
    if (message.count == 0) break;
    if (!is_batched) arrive(end, bytes + start, size);
    else require(etherws_read_batch(bytes, start, size, &found), "a message that is none");
    for (uint32_t i = 0; i < found.count; i++) arrive(end, bytes + starts[i], lengths[i]);
  }
  require(etherws_awaits_more(bytes, at, length, is_masked, 1 << 20), "the stream is broken");
  memmove(bytes, bytes + at, length - at);
  end->in_bytes = length - at;
}

// What the far end reads of a tunnel: `in` holds messages, `ciphertext` what cannot be opened yet.
static struct {
  uint8_t bytes[STREAM_BYTES];
  size_t length;
} ciphertext[MAX_ENDS];

static void far_read_tunnel(struct end *end, const struct tunnel *tunnel) {
  uint8_t *into = tunnel->tls == NULL ? end->in : ciphertext[end - ends].bytes;
  size_t *length = tunnel->tls == NULL ? &end->in_bytes : &ciphertext[end - ends].length;
  const ssize_t count = recv(end->far, into + *length, 1 + below(STREAM_BYTES / 2 - (uint32_t)*length), MSG_DONTWAIT);
  if (count == 0) end->has_failed = true;
  if (count <= 0) return;
  moved++;
  *length += (size_t)count;
  if (tunnel->tls != NULL) {
    struct etherws_opened opened;
    uint8_t *to = end->in + end->in_bytes;
    require(etherws_open_tls_records(&end->far_opening, into, *length, to, STREAM_BYTES - end->in_bytes, &opened) == 0,
            "a record that does not open");
    memmove(into, into + opened.consumed, *length - opened.consumed);
    *length -= opened.consumed;
    end->in_bytes += opened.produced;
  }
  far_parse(end, end->in, end->in_bytes, tunnel->is_masking, tunnel->is_batched);
}

static void far_read(struct end *end) {
  if (end->far < 0 || end->is_closed) return;
  if (end->descriptor->kind == KIND_STREAM) return far_read_tunnel(end, stream_of(end->descriptor)->tunnel);
  uint8_t record[10 + MAX_FRAME];
  const size_t lead = device_of(end->descriptor)->has_vnet_header ? 10 : 0;
  const ssize_t count = recv(end->far, record, sizeof record, MSG_DONTWAIT);
  if (count <= 0) return;
  moved++;
  arrive(end, record + lead, (uint32_t)count - (uint32_t)lead);
}

static void open_end(struct end *end) {
  static const uint8_t KEYS[2][16] = {{1}, {2}}, IV[12] = {3};
  const bool is_stream = one_in(2);
  const int bytes = one_in(2) ? 4096 : 65536;
  int pair[2];
  require(socketpair(AF_UNIX, is_stream ? SOCK_STREAM : SOCK_DGRAM, 0, pair) == 0, "a pair of sockets");
  for (int i = 0; i < 2; i++) {
    setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    fcntl(pair[i], F_SETFL, O_NONBLOCK);
  }
  *end =
      (struct end){.far = pair[1], .is_quick = one_in(2), .in = allocate(STREAM_BYTES), .out = allocate(STREAM_BYTES)};
  const enum descriptor_kind kind = is_stream ? KIND_STREAM : one_in(2) ? KIND_TAP : KIND_PACKET;
  end->descriptor = datapath_adopt(host.datapath, pair[0], kind, one_in(2));
  require(end->descriptor != NULL, "memory");
  end->descriptor->owner = end;
  ciphertext[end - ends].length = 0;
  if (!is_stream) {
    device_of(end->descriptor)->max_frame_bytes = MAX_FRAME;
  } else {
    struct stream *stream = stream_of(end->descriptor);
    require(tunnel_open(stream, one_in(2), one_in(2), 1 << 20) == 0, "a tunnel");
    stream->is_local = one_in(2);
    if (one_in(2)) {
      require(tunnel_start_tls(stream, 1 << 20, NULL, 0) == 0, "a tunnel under TLS");
      etherws_start_tls_records(&end->opening, ETHERWS_AES_128_GCM, KEYS[0], IV, 0, false, NULL);
      etherws_start_tls_records(&end->far_sealing, ETHERWS_AES_128_GCM, KEYS[0], IV, 0, true, NULL);
      etherws_start_tls_records(&end->sealing, ETHERWS_AES_128_GCM, KEYS[1], IV, 0, true, NULL);
      etherws_start_tls_records(&end->far_opening, ETHERWS_AES_128_GCM, KEYS[1], IV, 0, false, NULL);
      tls_stream_set_keys(stream->tunnel->tls, &end->opening, &end->sealing);
    }
  }
  require(datapath_watch(end->descriptor) == 0, "an end that cannot be polled");
}

static void free_end(struct end *end) {
  struct etherws_tls_records *keys[] = {&end->opening, &end->sealing, &end->far_opening, &end->far_sealing};
  for (int i = 0; i < 4; i++) etherws_end_tls_records(keys[i]);
  if (end->far >= 0) close(end->far);
  free(end->in);
  free(end->out);
}

// Walks a list of waiting descriptors; all of them: those of any egress. Returns their number.
static unsigned long length_of(const struct waiting *waiting, enum wait_list list, const struct descriptor *egress) {
  unsigned long length = 0;
  const struct descriptor *before = NULL;
  for (const struct descriptor *at = waiting->first; at != NULL; before = at, at = at->wait.next[list], length++) {
    require(at->wait.before[list] == before, "a list that is not linked both ways");
    require(before == NULL || before->wait.since_ms <= at->wait.since_ms, "a list that is not in the order of waiting");
    require(at->wait.egress != NULL && (list == WAIT_OF_ALL || at->wait.egress == egress), "a list of another egress");
  }
  require(waiting->last == before, "a list that ends elsewhere");
  return length;
}

static void check_waits(void) {
  const unsigned long all = length_of(&host.datapath->waiting, WAIT_OF_ALL, NULL);
  unsigned long of_ends = 0;
  for (uint32_t i = 0; i < end_count; i++) {
    const struct descriptor *egress = ends[i].descriptor;
    if (egress != NULL) of_ends += length_of(&egress->waiting, WAIT_OF_EGRESS, egress);
  }
  require(all == of_ends, "one that waits in one list only");
  waits += all;
}

static void step(void) {
  struct end *end = &ends[below(end_count)];
  switch (below(10)) {
    case 0:
    case 1:
    case 2: far_send(end); break;
    case 3: far_read(end); break;
    case 4:
      if (end->is_quick) far_read(end);
      break;
    case 5: act(end); break;
    case 6: host.now_ms += below(40); break;
    case 7:
      if (!one_in(20) || end->far < 0) break;
      close(end->far);
      end->far = -1;
      end->has_failed = true;
      break;
    default: run_turn();
  }
  check_waits();
  for (uint32_t i = 0; i < end_count; i++) {
    const struct device *device = ends[i].is_closed ? NULL : device_of(ends[i].descriptor);
    with_tag_room += device != NULL && device->tag_room != 0;
  }
  for (uint32_t i = 0; i < end_count; i++)
    held_up += is_tunnel(&ends[i]) && stream_of(ends[i].descriptor)->rest != NULL;
}

// Everything that is under way arrives: far ends send what they have and read, and nothing is paused. Ends when nothing
// has moved for 400 ms of the host's clock, which is longer than a device waits for room.
static void drain(void) {
  flow_table_invalidate(table);
  for (int round = 0, idle = 0; round < 400 && idle < 20; round++) {
    const unsigned long before = moved;
    for (uint32_t i = 0; i < end_count; i++) {
      struct end *end = &ends[i];
      if (end->is_closed) continue;
      datapath_await(end->descriptor, READABLE);
      const size_t left = end->out_to - end->out_from;
      ssize_t sent =
          end->far < 0 || left == 0 ? 0 : send(end->far, end->out + end->out_from, left, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) end->out_from += (size_t)sent, moved++;
      for (int reads = 0; reads < 8; reads++) far_read(end);
    }
    depth = 9;  // the host only listens
    host.now_ms += 20;
    run_turn();
    depth = 0;
    idle = moved == before ? idle + 1 : 0;
  }
}

static void require_all_came(void) {
  uint32_t missing = 0;
  for (uint32_t i = 0; i < frame_count; i++) {
    const struct sent *sent = &frames[i];
    const bool is_excused = (sent->from < end_count && ends[sent->from].has_failed) || ends[sent->to].has_failed;
    missing += sent->fate == SENT && !is_excused;
  }
  require(missing <= lost_frames, "a frame is lost, and no counter says so");
}

static void begin_run(void) {}

static void run_case(unsigned long number) {
  (void)number;
  memset(&host, 0, sizeof host);
  frame_count = lost_frames = 0;
  depth = 0;
  end_count = 2 + below(MAX_ENDS - 1);
  host.slab = allocate(SLAB_SIZE);
  host.cells[2] = one_in(4) ? 8192 : 1 << 24;
  host.datapath = datapath_new(&host);
  require(host.datapath != NULL && (table = flow_table_new(0)) != NULL, "memory");
  const struct frame_slab slab = {host.slab, SLAB_SIZE, host.starts, host.lengths, LIST, 0};
  datapath_share_device_slab(host.datapath, slab, host.tally);
  datapath_share_frame_list(host.datapath, host.list_starts, host.list_lengths, LIST);
  datapath_share_buffer_cells(host.datapath, host.cells);
  for (uint32_t i = 0; i < end_count; i++) open_end(&ends[i]);
  for (int i = 0; i < STEPS && !is_script_over(); i++) step();
  drain();
  require_all_came();
  for (uint32_t i = 0; i < end_count; i++) close_end(&ends[i]);
  run_turn();
  require(host.cells[0] == 0, "octets are held by no tunnel");
  flow_table_release(table);
  datapath_leave(host.datapath);
  require(host.slabs == 0, "a slab is leaked");
  for (uint32_t i = 0; i < end_count; i++) free_end(&ends[i]);
  free(host.slab);
}

static void check_run(unsigned long cases) {
  require(cases < 100 || (forwarded > cases && changed > cases && by_host > cases && held_up > cases && waits > 0 &&
                          with_tag_room > cases),
          "a run that has shown nothing");
}
