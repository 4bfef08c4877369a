// The way of frames that the bridge need not see: from one descriptor to another, without JavaScript.
//
// 1. A descriptor is ready. What waits is read, into the place where JavaScript would have it (devices: device_ready;
//    tunnels: tunnel_ready).
// 2. When all of it matches flows to one egress that has nothing waiting, it goes there at once (hand_over).
// 3. What is left goes to JavaScript, as if nothing had been tried: it is the bridge that decides, installs flows,
//    queues, and closes.
// 4. Of a message that leaves in part the rest is kept, and goes first when there is room again. A device all of whose
//    frames go there waits so long, for MAX_WAIT_MS at most: its senders feel that, and nothing is lost.
//
// All of it happens in the loop's thread, so nothing changes underneath.
#ifndef ETHERWS_FAST_PATH_H
#define ETHERWS_FAST_PATH_H

#include "../node/addon.h"
#include "buffer_budget.h"
#include "flow_table.h"
#include "websocket_messages.h"

// Beyond libuv's, what JavaScript is told of readiness.
enum { LOST = 4 };

enum { SLABS = 10, KEYS_BYTES = 1024, MOST_WAITING = 16 };

enum {
  // What is written at once, but for the frame that goes beyond it: what does not leave can be overtaken by nothing.
  WRITE_BYTES = 64 * 1024,
  MESSAGE_BLOCK_BYTES = WRITE_BYTES + MAX_FRAME_BYTES + 4096,
  // What is sealed at once, at most: fifteen records.
  SEALED_PIECE_BYTES = 15 << 14,
};

// How long a device waits for room; then the bridge's queues have to drop what cannot leave.
enum { MAX_WAIT_MS = 100 };

// A place for octets of tunnels as they arrive, which JavaScript has as a Buffer, too.
struct slab {
  uint8_t *bytes;
  napi_ref buffer;
  bool is_used;  // by a turn that is under way, or by a tunnel between two turns
};

// One for each environment; it goes with the last of its descriptors.
struct fast_path {
  unsigned owners;
  // JavaScript's: what devices are read into, what they drop, and where frames of tunnels are listed.
  struct frame_slab device_slab;
  uint32_t *tally;
  uint32_t *starts;
  uint32_t *lengths;
  uint32_t capacity;
  struct slab slabs[SLABS];
  unsigned kept;
  double *buffers;   // JavaScript's cells of what is held (buffer-budget.h); NULL before it shares them
  uint8_t *block;    // a message on its way out
  uint8_t *sealed;   // and its records
  uint8_t *landing;  // records on their way in; NULL while somebody has it
  uint8_t keys[KEYS_BYTES];
  size_t keys_left;
  bool is_in_turn;                           // frames are on their way
  bool has_called;                           // and JavaScript was called meanwhile
  napi_ref nothing;                          // a function that does nothing
  struct descriptor *waiting[MOST_WAITING];  // devices that wait for an egress
  uv_timer_t patience;
  napi_async_cleanup_hook_handle cleanup;
};

// What a tunnel under TLS has besides: sealed-tunnel.c.
struct sealed_tunnel;

// What a tunnel's descriptor has besides.
struct tunnel {
  bool is_masking;  // we are the client of the opening handshake
  bool is_batched;  // docs/reference/protocol.md; else one frame a message
  bool is_whole;    // no message is coming in fragments
  uint32_t most;    // the longest message that is taken
  napi_ref on_octets;
  // What is left of a message that has left in part: rest[rest_from .. rest_to); NULL when nothing is.
  uint8_t *rest;
  size_t rest_from;
  size_t rest_to;
  bool wants_room;  // JavaScript is told how much of the rest is left, whenever some has left
  // What has come of a message that is not all there: slab->bytes[from .. to), or block[0 .. to).
  struct slab *slab;
  uint8_t *block;
  size_t from;
  size_t to;
  struct sealed_tunnel *sealed;  // NULL for octets that go as they are
};

// The octets of one turn, in a slab: [from, to) came before, [to, end) now.
struct turn {
  struct slab *slab;
  size_t from;
  size_t to;
  size_t end;
};

// fast-path.c
struct fast_path *fast_path_of(napi_env env);
struct fast_path *fast_path_hold(napi_env env);
void fast_path_release(struct fast_path *fast);
void device_ready(struct descriptor *descriptor, int status);
// Hands frames to the egress that flows lead to. Returns how many of the first it took; the rest is the bridge's.
uint32_t hand_over(struct descriptor *ingress, const struct etherws_run *run);
// The descriptor ends: no flow leads there any more.
void fast_path_leave(struct descriptor *descriptor);

// node/flow_table_binding.c
// The flow that a run may follow now, its rates included; NULL where it is the bridge's.
const struct etherws_flow *flow_of(const struct descriptor *ingress, const struct etherws_run *run);
// The descriptor is no end of flows any more.
void flow_end_leave(struct descriptor *descriptor);

// egress.c: each of the two counts the frames that it takes at both ports, charges them to the meter of the ingress, and
// returns how many of the first these are.
uint32_t write_to_device(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run);
uint32_t write_to_tunnel(struct descriptor *ingress, struct descriptor *egress, const struct etherws_run *run);
// Sends the rest of a message. Returns 0, or -errno when the connection failed, and the rest is dropped.
int send_rest(struct descriptor *egress);
// How many octets of the rest have not left.
size_t rest_bytes(const struct tunnel *tunnel);
// Sends octets now, without waiting. Returns how many the kernel took, or -1 and errno.
ssize_t send_now(const struct descriptor *egress, const uint8_t *bytes, size_t length);
// A masking key that cannot be predicted (RFC 6455, 10.3), or NULL when the system has none. It is valid until the next
// call. `flags`: of getrandom(2).
const uint8_t *next_key(struct fast_path *fast, unsigned flags);
// The place for one message, of MESSAGE_BLOCK_BYTES; NULL when there is no memory.
uint8_t *message_block(struct fast_path *fast);
// Leaves what comes in the device until `egress` has room.
void wait_for(struct fast_path *fast, struct descriptor *device, struct descriptor *egress);
// Devices that wait for an egress are read again.
void release_waiting(struct fast_path *fast, const struct descriptor *egress);

// tunnel.c
void tunnel_ready(struct descriptor *descriptor, int events);
void tunnel_end(struct descriptor *descriptor);
// Throws when the descriptor is no open tunnel.
bool take_tunnel(napi_env env, napi_value value, struct descriptor **descriptor);
// Finds the place where the stream goes on. Returns false when there is no memory.
bool turn_begin(struct descriptor *descriptor, struct turn *turn);
// How many octets it has room for.
size_t turn_room(const struct turn *turn);
// Keeps what is unfinished, from `consumed` on. Returns false when there is no memory.
bool turn_keep(struct descriptor *descriptor, const struct turn *turn, size_t consumed);
// Reads what has come: hands on frames, gives JavaScript what is its own, keeps what is unfinished.
bool turn_finish(struct descriptor *descriptor, const struct turn *turn, bool is_from_loop);

// send.c: what JavaScript sends by a tunnel. All of it is taken: what the kernel does not take becomes the rest, or goes
// behind it. Each returns how many octets wait now; or -errno, and nothing was taken: -EDQUOT when the TLS key has
// sealed as many records as it may. Where octets wait, JavaScript is told when they leave (wants_room).
ssize_t tunnel_send(struct descriptor *egress, const uint8_t *bytes, size_t length);
// One TLS record of a type that is not application data. The number of records under the key does not matter.
ssize_t tunnel_send_record(struct descriptor *egress, uint8_t type, const uint8_t *content, size_t length);
// Frames as messages of the tunnel's wire; on the raw wire each payload has `least` octets at least. They fit into
// message_block.
ssize_t tunnel_send_frames(struct descriptor *egress, const struct etherws_batch *frames, size_t least);

// sealed-tunnel.c
napi_value seal_tunnel(napi_env env, napi_callback_info info);
napi_value renew_tunnel_keys(napi_env env, napi_callback_info info);
// Returns how many octets came, 0 at the stream's end, or -errno; what was wrong with records JavaScript was told.
ssize_t sealed_read(struct descriptor *descriptor, bool is_from_loop);
// Seals a message of the fast path into one place. Returns NULL when the bridge has to take it: the key has sealed as
// many records as it may, the message is too long, or the cipher failed.
const uint8_t *sealed_message(struct descriptor *descriptor, const uint8_t *message, size_t length,
                              size_t *sealed_bytes);
// Seals content of a type. Returns the records' length, 0 when the cipher failed.
size_t seal_content(struct descriptor *descriptor, uint8_t type, const uint8_t *content, size_t length, uint8_t *to);
// How long the records of so much content are.
size_t sealed_length(size_t length);
// Whether the key has sealed as many records as it may.
bool is_key_worn(const struct descriptor *descriptor);
// A place for SEALED_PIECE_BYTES of content, sealed; NULL when there is no memory.
uint8_t *sealed_block(struct fast_path *fast);
void sealed_end(struct descriptor *descriptor);
// How much ciphertext is carried over.
size_t sealed_held(const struct descriptor *descriptor);

// Between the two JavaScript is called, but what it leaves for later (process.nextTick, promises) runs behind the second:
// in the midst of a turn it would meet frames half handed on, and streams that are half read.
void turn_enter(struct fast_path *fast);
void turn_leave(struct descriptor *descriptor);

// descriptor.c
// Tells on_ready as the last thing that happens in a turn, so that what JavaScript leaves for later may follow at once.
void tell_last(struct descriptor *descriptor, int status, int count);
// Calls JavaScript; from the loop as a task of its own, behind which microtasks run, and what it throws is uncaught.
// Returns what it returned, or NULL.
napi_value call_javascript(struct descriptor *descriptor, napi_ref function, size_t count, const napi_value *arguments);
// The same with two numbers.
void tell_javascript(struct descriptor *descriptor, napi_ref function, int status, int count);

#endif
