// What the addon's files share. Everything here belongs to one JavaScript
// environment: but for a library that is loaded once (tls/ipsec-mb.c) there is no
// mutable static state, so worker threads need no locks.
#ifndef ETHERWS_ADDON_H
#define ETHERWS_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

// Leaves a function that returns a napi_value when a Node-API call fails; the exception is pending then.
#define CHECK_NAPI(env, call)  \
  do {                         \
    if ((call) != napi_ok) {   \
      throw_napi_failure(env); \
      return NULL;             \
    }                          \
  } while (0)

enum {
  VNET_HEADER_BYTES = 10,  // virtio-net header without num_buffers
  LENGTH_BYTES = 4,        // in front of it, for the length that a tunnel message wants there
  RECORD_HEADER_BYTES = LENGTH_BYTES + VNET_HEADER_BYTES,
  SLAB_FRONT_BYTES = 64,  // free at the front of a slab, for the head of a tunnel message
  MAX_FRAME_BYTES = 65535 + 14 + 8,
};

// Why frames were dropped, as indices into the tally that reads and writes fill. src/ports/native.ts has the same list.
enum tally_index {
  TALLY_QUEUE_FULL,
  TALLY_LINK_DOWN,
  TALLY_TOO_LONG,
  TALLY_BAD_OFFLOAD,
  TALLY_DEVICE_ERROR,
  TALLY_COUNT,
};

// A function that the addon offers, and its name there.
struct export {
  const char *name;
  napi_callback function;
};

enum descriptor_kind { KIND_TAP, KIND_PACKET, KIND_LINK_EVENTS, KIND_STREAM };

// What belongs to one environment.
struct instance {
  struct lingering *linger;
  struct fast_path *fast_path;
  struct interlude *interlude;
  struct lookups *lookups;  // of names; NULL before the first
  bool is_openssl_wanted;   // for AES-GCM, even where a faster library is
};

// What a descriptor has as an end of flows: flow_table_binding.c. All of it is empty before a flow leads from or to it.
struct flow_end {
  struct flow_table *table;  // of its bridge
  double *cells;             // what its port counts in, and what keeps that alive
  napi_ref cells_of;
  double *meter;  // the rates that what it reads is charged to; NULL where there are none
  napi_ref meter_of;
};

// A file descriptor that JavaScript owns as an external, and its place in the event loop while it is watched.
struct descriptor {
  uv_poll_t poll;
  struct lingering *linger;
  struct interlude *interlude;  // in which it stands while it is watched
  int awaited;                  // UV_READABLE, UV_WRITABLE: what wakes us up
  napi_env env;
  int fd;  // -1 once closed
  enum descriptor_kind kind;
  bool has_vnet_header;
  bool has_waited;   // the kernel had no room for something; until somebody asks (congestion.c)
  bool is_watched;   // the poll handle is in the loop
  bool is_ending;    // the environment is going down: JavaScript runs no more
  unsigned owners;   // the JavaScript external, and the loop while it has the poll handle
  unsigned closing;  // what the loop still has to finish before it is closed
  uv_fs_t close_request;
  napi_ref on_ready;
  napi_ref on_closed;
  napi_async_cleanup_hook_handle cleanup;
  // Of the fast path (fast-path.h).
  struct fast_path *fast;
  struct tunnel *tunnel;         // of a tunnel that it reads; else NULL
  size_t room;                   // the longest frame of a device that it reads; 0 while JavaScript does
  struct descriptor *expected;   // where flows have led to last, for comparing; NULL before there was one
  struct descriptor *waits_for;  // the egress that is to have room before it is read again
  uint64_t waits_since_ms;
  uint64_t impatient_until_ms;
  uint32_t offloads;  // the debts that it takes as an egress
  struct flow_end flow;
};

// One batch of frames in a slab, as JavaScript handed it over; the memory is JavaScript's.
struct frame_slab {
  uint8_t *bytes;
  size_t size;
  uint32_t *starts;
  uint32_t *lengths;
  size_t capacity;
};

// The frames of a slab that are to be written.
struct frame_selection {
  const uint32_t *indexes;  // NULL: the first `count`
  size_t count;
  bool has_vnet_headers;  // in front of each frame in the slab
  uint32_t merge_for;     // the debts that the device takes, so that segments may be merged; 0: each frame by itself
};

// module.c: returns exports, or NULL with an exception pending
napi_value add_exports(napi_env env, napi_value exports, const struct export *table, size_t count);

// errors.c
napi_value throw_errno(napi_env env, int error, const char *syscall);
napi_value throw_napi_failure(napi_env env);
bool warrants_retry(int error);
enum tally_index tally_of_write_error(int error, bool has_debt);

// fault_example.c
// Keeps the head of a frame that is dropped, if the reason points at a fault. length 0: there is no frame to show.
void note_fault(enum tally_index reason, const uint8_t *frame, size_t length, bool has_header);
napi_value take_fault_example(napi_env env, napi_callback_info info);

// instance.c: NULL without one
struct instance *instance_of(napi_env env);
napi_value init_instance(napi_env env, napi_value exports);

// fast-path.c, tunnel.c
napi_value init_fast_path(napi_env env, napi_value exports);
napi_value open_tunnel(napi_env env, napi_callback_info info);
napi_value read_tunnel(napi_env env, napi_callback_info info);
napi_value feed_tunnel(napi_env env, napi_callback_info info);
napi_value held_bytes(napi_env env, napi_callback_info info);

// flow_table_binding.c
napi_value init_flows(napi_env env, napi_value exports);

// send_binding.c: adds its functions to the exports
napi_value init_send(napi_env env, napi_value exports);

// linger.c
void linger_note(struct lingering *linger);
napi_value init_linger(napi_env env, napi_value exports);

// interlude.c
// The loop serves frames: returns false when that is under way already; else interlude_end is to follow.
bool interlude_begin(struct interlude *interlude);
void interlude_end(struct interlude *interlude);
void interlude_join(struct descriptor *descriptor);
// Before the file descriptor is closed.
void interlude_leave(struct descriptor *descriptor);
void interlude_free(struct interlude *interlude);
napi_value init_interlude(napi_env env, napi_value exports);

// arguments.c: each returns false with a TypeError pending when the value is not what it must be
bool take_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);
// The same where the last ones may be left out: these are undefined.
bool take_arguments_from(napi_env env, napi_callback_info info, napi_value *values, size_t least, size_t most);
bool take_int32(napi_env env, napi_value value, int32_t *result);
// `missing` where the value is undefined.
bool take_int32_or(napi_env env, napi_value value, int32_t missing, int32_t *result);
bool take_bool(napi_env env, napi_value value, bool *result);
bool take_string(napi_env env, napi_value value, char *result, size_t size);
bool take_octets(napi_env env, napi_value value, uint8_t **bytes, size_t *length);
// three values: a view, and where in it the range begins and ends
bool take_range(napi_env env, const napi_value *values, uint8_t **bytes, size_t *length);
bool take_words(napi_env env, napi_value value, uint32_t **words, size_t *length);
bool set_number(napi_env env, napi_value object, const char *name, double number);
bool set_bool(napi_env env, napi_value object, const char *name, bool value);
bool set_string(napi_env env, napi_value object, const char *name, const char *text);

// descriptor.c: takes the descriptor over, and closes it when it fails
napi_value descriptor_create(napi_env env, int fd, enum descriptor_kind kind, bool has_vnet_header);
bool take_descriptor(napi_env env, napi_value value, struct descriptor **result);
// An open one, or NULL where the value is undefined.
bool take_descriptor_or_none(napi_env env, napi_value value, const struct descriptor **result);
// It has been found ready for `status`, or has failed with -errno: reads what is there, or tells JavaScript.
void descriptor_ready(struct descriptor *descriptor, int status);
napi_value descriptor_watch(napi_env env, napi_callback_info info);
napi_value descriptor_pause(napi_env env, napi_callback_info info);
napi_value descriptor_resume(napi_env env, napi_callback_info info);
napi_value descriptor_await(napi_env env, napi_callback_info info);
napi_value descriptor_close(napi_env env, napi_callback_info info);
// Waits for what is awaited: by JavaScript, less what waits for others, and with what is left to be sent.
int descriptor_poll(struct descriptor *descriptor);

// frames.c
int read_waiting(const struct descriptor *descriptor, struct frame_slab *slab, size_t room, uint32_t *tally);
int write_selection(const struct descriptor *descriptor, const struct frame_slab *slab,
                    const struct frame_selection *frames, uint32_t *tally);
bool owes(const uint8_t *frame, bool has_header);  // whether the header in front of a frame asks for anything
napi_value read_frames(napi_env env, napi_callback_info info);
napi_value write_frames(napi_env env, napi_callback_info info);
static inline uint32_t selected(const struct frame_selection *frames, size_t i) {
  return frames->indexes != NULL ? frames->indexes[i] : (uint32_t)i;
}

// tap.c, packet_socket.c: reading returns the number of frames, or -errno when there was none and it failed;
// writing returns how many were taken. Both add what was dropped to the tally.
napi_value open_tap(napi_env env, napi_callback_info info);
int tap_read(const struct descriptor *tap, struct frame_slab *slab, size_t room, uint32_t *tally);
int tap_write(const struct descriptor *tap, const struct frame_slab *slab, const struct frame_selection *frames,
              uint32_t *tally);
napi_value open_packet_socket(napi_env env, napi_callback_info info);
napi_value packet_sockets_take_uso(napi_env env, napi_callback_info info);
int packet_read(const struct descriptor *packet, struct frame_slab *slab, size_t room, uint32_t *tally);
int packet_write(const struct descriptor *packet, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally);

// netns.c
napi_value locate_tap(napi_env env, napi_callback_info info);

// link.c, address.c, link_events.c
napi_value read_link(napi_env env, napi_callback_info info);
napi_value change_link(napi_env env, napi_callback_info info);
napi_value set_link_address(napi_env env, napi_callback_info info);
napi_value move_link(napi_env env, napi_callback_info info);
napi_value list_addresses(napi_env env, napi_callback_info info);
napi_value add_address(napi_env env, napi_callback_info info);
napi_value delete_address(napi_env env, napi_callback_info info);
napi_value open_link_events(napi_env env, napi_callback_info info);
napi_value read_link_events(napi_env env, napi_callback_info info);

// stream.c
napi_value adopt_socket(napi_env env, napi_callback_info info);
napi_value end_stream(napi_env env, napi_callback_info info);

// socket_options.c
napi_value set_socket_option(napi_env env, napi_callback_info info);
napi_value read_socket_option(napi_env env, napi_callback_info info);

// congestion.c
napi_value read_congestion_control(napi_env env, napi_callback_info info);
napi_value set_congestion_control(napi_env env, napi_callback_info info);
napi_value try_congestion_control(napi_env env, napi_callback_info info);
napi_value read_path(napi_env env, napi_callback_info info);
napi_value take_has_waited(napi_env env, napi_callback_info info);

// name-lookup.c, tcp-socket.c
napi_value look_up_name(napi_env env, napi_callback_info info);
napi_value open_tcp_socket(napi_env env, napi_callback_info info);

// privileges.c
napi_value look_up_user(napi_env env, napi_callback_info info);
napi_value become_user(napi_env env, napi_callback_info info);
napi_value forbid_new_privileges(napi_env env, napi_callback_info info);
napi_value redirect_descriptor(napi_env env, napi_callback_info info);
napi_value trim_memory(napi_env env, napi_callback_info info);
napi_value wipe_freed_memory(napi_env env, napi_callback_info info);

// callers.c
napi_value read_peer_user(napi_env env, napi_callback_info info);
napi_value look_up_group(napi_env env, napi_callback_info info);
napi_value describe_user(napi_env env, napi_callback_info info);

// offload-binding.c: adds its functions to the exports
napi_value init_offload(napi_env env, napi_value exports);

// message-binding.c: likewise
napi_value init_messages(napi_env env, napi_value exports);

// tls-binding.c: likewise, where Node has what they need
napi_value init_tls(napi_env env, napi_value exports);

#endif
