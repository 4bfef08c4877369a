// A tunnel under TLS: records are opened into the slab that its messages are read from, and messages are sealed where
// they are written. What is no application data, and what is wrong, is the business of
// src/ports/websocket/tls/record-stream.ts.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fast_path.h"
#include "tls_records.h"

#ifdef ETHERWS_HAS_CIPHERS

enum {
  // More ciphertext would not stay in a processor's cache until it is opened.
  READ_BYTES = 128 * 1024,
  // SEALED_PIECE_BYTES in records.
  SEALED_BYTES = SEALED_PIECE_BYTES + 15 * ETHERWS_RECORD_OVERHEAD_BYTES,
};

// What JavaScript answers about a record that was no data.
enum answer { STOP, GO_ON, GO_ON_INSIDE_A_MESSAGE };

struct sealed_tunnel {
  struct etherws_tls_records *opening;
  struct etherws_tls_records *sealing;
  napi_ref opening_of;  // they are JavaScript's
  napi_ref sealing_of;
  napi_ref on_record;
  uint64_t records_a_key;    // RFC 8446, 5.5
  bool is_update_requested;  // of the peer's key, which has sealed as many records as it may
  uint8_t *carried;          // ciphertext that is not opened yet: less than a record
  size_t carried_bytes;
  bool is_inside_a_message;  // of the handshake: no data may come now (RFC 8446, 5.1)
  bool has_data;             // since JavaScript was last told of a record
};

// What JavaScript is told beside the types of records: the peer's key is worn.
enum { PEER_KEY_WORN = 256 };

static bool is_in_use(const struct etherws_tls_records *records) { return records->cipher != NULL; }

// Tells JavaScript of a record. Returns false when nothing more is to be opened.
static bool tell(struct descriptor *descriptor, int status, const uint8_t *content, size_t length) {
  napi_env env = descriptor->env;
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  napi_handle_scope scope;
  napi_value arguments[3], result;
  int32_t answer = STOP;
  bool has_data = sealed->has_data;
  sealed->has_data = false;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  if (napi_create_int32(env, status, &arguments[0]) != napi_ok ||
      napi_create_buffer_copy(env, length, content, NULL, &arguments[1]) != napi_ok ||
      napi_get_boolean(env, has_data, &arguments[2]) != napi_ok ||
      (result = call_javascript(descriptor, sealed->on_record, 3, arguments)) == NULL ||
      napi_get_value_int32(env, result, &answer) != napi_ok) {
    answer = STOP;
  }
  napi_close_handle_scope(env, scope);
  if (descriptor->tunnel == NULL) return false;
  sealed->is_inside_a_message = answer == GO_ON_INSIDE_A_MESSAGE;
  return answer != STOP;
}

// The peer's key has sealed as many records as it may. JavaScript asks the peer for another one; what the peer had sent
// before it got that passes, but not a quarter more. Returns false when nothing more is to be opened.
static bool may_go_on(struct descriptor *descriptor) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  const uint64_t most = sealed->records_a_key + sealed->records_a_key / 4;
  if (sealed->opening->sequence >= most) return tell(descriptor, -ETHERWS_INTERNAL_ERROR, NULL, 0);
  if (sealed->is_update_requested) return true;
  sealed->is_update_requested = true;
  return tell(descriptor, PEER_KEY_WORN, NULL, 0);
}

// Opens what is there of `bytes`, a slab's worth. Returns what was consumed, and in `is_over` whether that was all; or
// -ENOMEM.
static ssize_t open_some(struct descriptor *descriptor, const uint8_t *bytes, size_t length, bool is_from_loop,
                         bool *is_over) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  struct etherws_opened opened;
  struct turn turn;
  uint8_t content[ETHERWS_MAX_CONTENT_BYTES];
  *is_over = true;
  if (!is_in_use(sealed->opening)) return (ssize_t)length;
  if (sealed->opening->sequence >= sealed->records_a_key && !may_go_on(descriptor)) return (ssize_t)length;
  if (!turn_begin(descriptor, &turn)) return -ENOMEM;
  uint8_t *to = turn.slab->bytes + turn.to;
  int status = etherws_open_tls_records(sealed->opening, bytes, length, to, turn_room(&turn), &opened);
  if (opened.produced > 0 && sealed->is_inside_a_message) {
    status = -ETHERWS_UNEXPECTED_MESSAGE;
    opened.produced = 0;
  }
  // It lies where the next turn will write.
  if (status > 0) memcpy(content, to + opened.produced, opened.content);
  sealed->has_data |= opened.produced > 0;
  turn.end += opened.produced;
  bool is_kept =
      opened.produced > 0 ? turn_finish(descriptor, &turn, is_from_loop) : turn_keep(descriptor, &turn, turn.from);
  if (descriptor->tunnel == NULL) return (ssize_t)length;
  if (!is_kept) return -ENOMEM;
  if (status == 0) *is_over = opened.consumed == 0;
  else *is_over = !tell(descriptor, status, content, status > 0 ? opened.content : 0);
  return (ssize_t)(*is_over && status != 0 ? length : opened.consumed);
}

// Makes room for ciphertext that is not opened yet. Returns false when there is none.
static bool keep_carried(struct descriptor *descriptor, size_t bytes) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  if (!buffers_hold(descriptor->fast->buffers, bytes)) return false;
  sealed->carried = malloc(bytes);
  if (sealed->carried == NULL) {
    buffers_release(descriptor->fast->buffers, bytes);
    return false;
  }
  sealed->carried_bytes = bytes;
  return true;
}

// Opens all that is whole of `bytes`, and carries the rest over. Returns `status`, or what went wrong.
static ssize_t open_all(struct descriptor *descriptor, const uint8_t *bytes, size_t end, bool is_from_loop,
                        ssize_t status) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  size_t at = 0;
  for (bool is_over = false; !is_over && at < end;) {
    ssize_t consumed = open_some(descriptor, bytes + at, end - at, is_from_loop, &is_over);
    if (descriptor->tunnel == NULL) return -EAGAIN;
    if (consumed < 0) return consumed;
    at += (size_t)consumed;
  }
  if (at == end) return status;
  if (!keep_carried(descriptor, end - at)) return -ENOMEM;
  memcpy(sealed->carried, bytes + at, end - at);
  return status;
}

static ssize_t read_to(struct descriptor *descriptor, uint8_t *landing, bool is_from_loop) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  uint8_t *carried = sealed->carried;
  size_t end = sealed->carried_bytes;
  sealed->carried = NULL;
  sealed->carried_bytes = 0;
  buffers_release(descriptor->fast->buffers, end);
  if (end > READ_BYTES / 2) {
    // Much more than a record was there before the tunnel was: it goes by itself.
    ssize_t status = open_all(descriptor, carried, end, is_from_loop, -EAGAIN);
    free(carried);
    return status;
  }
  if (end > 0) memcpy(landing, carried, end);
  free(carried);
  ssize_t count;
  do count = recv(descriptor->fd, landing + end, READ_BYTES - end, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count > 0) end += (size_t)count;
  return open_all(descriptor, landing, end, is_from_loop, count < 0 ? -errno : count);
}

ssize_t sealed_read(struct descriptor *descriptor, bool is_from_loop) {
  // JavaScript may read another tunnel before it returns: whoever needs the place has it alone.
  struct fast_path *fast = descriptor->fast;
  uint8_t *landing = fast->landing != NULL ? fast->landing : malloc(READ_BYTES);
  fast->landing = NULL;
  ssize_t status = landing == NULL ? -ENOMEM : read_to(descriptor, landing, is_from_loop);
  if (fast->landing == NULL) fast->landing = landing;
  else free(landing);
  return status;
}

uint8_t *sealed_block(struct fast_path *fast) {
  if (fast->sealed == NULL) fast->sealed = malloc(SEALED_BYTES);
  return fast->sealed;
}

size_t sealed_length(size_t length) { return etherws_sealed_bytes(length); }

bool is_key_worn(const struct descriptor *descriptor) {
  const struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  return sealed->sealing->sequence >= sealed->records_a_key;
}

size_t seal_content(struct descriptor *descriptor, uint8_t type, const uint8_t *content, size_t length, uint8_t *to) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  return is_in_use(sealed->sealing) ? etherws_seal_tls_records(sealed->sealing, type, content, length, to) : 0;
}

const uint8_t *sealed_message(struct descriptor *descriptor, const uint8_t *message, size_t length,
                              size_t *sealed_bytes) {
  uint8_t *to = sealed_block(descriptor->fast);
  if (to == NULL || is_key_worn(descriptor) || length > SEALED_PIECE_BYTES) return NULL;
  *sealed_bytes = seal_content(descriptor, ETHERWS_APPLICATION_DATA, message, length, to);
  return *sealed_bytes > 0 ? to : NULL;
}

size_t sealed_held(const struct descriptor *descriptor) {
  const struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  return sealed == NULL ? 0 : sealed->carried_bytes;
}

static void drop_keys(napi_env env, struct sealed_tunnel *sealed) {
  if (sealed->opening_of != NULL) napi_delete_reference(env, sealed->opening_of);
  if (sealed->sealing_of != NULL) napi_delete_reference(env, sealed->sealing_of);
  sealed->opening_of = sealed->sealing_of = NULL;
}

void sealed_end(struct descriptor *descriptor) {
  struct sealed_tunnel *sealed = descriptor->tunnel->sealed;
  if (sealed == NULL) return;
  descriptor->tunnel->sealed = NULL;
  drop_keys(descriptor->env, sealed);
  if (sealed->on_record != NULL) napi_delete_reference(descriptor->env, sealed->on_record);
  buffers_release(descriptor->fast->buffers, sealed->carried_bytes);
  free(sealed->carried);
  free(sealed);
}

static bool take_keys(napi_env env, const napi_value *values, struct sealed_tunnel *sealed) {
  struct etherws_tls_records *opening, *sealing;
  if (napi_get_value_external(env, values[0], (void **)&opening) != napi_ok || opening->is_sealing ||
      napi_get_value_external(env, values[1], (void **)&sealing) != napi_ok || !sealing->is_sealing) {
    napi_throw_type_error(env, NULL, "expected records of either direction");
    return false;
  }
  drop_keys(env, sealed);
  if (opening != sealed->opening) sealed->is_update_requested = false;
  sealed->opening = opening;
  sealed->sealing = sealing;
  return napi_create_reference(env, values[0], 1, &sealed->opening_of) == napi_ok &&
         napi_create_reference(env, values[1], 1, &sealed->sealing_of) == napi_ok;
}

// sealTunnel(descriptor, opening, sealing, recordsAKey, early, onRecord): the tunnel's octets are records from now on;
// `early` are those that were read already.
napi_value seal_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  struct descriptor *descriptor;
  int32_t records_a_key;
  uint8_t *early;
  size_t length;
  if (!take_arguments(env, info, arguments, 6) || !take_tunnel(env, arguments[0], &descriptor) ||
      !take_int32(env, arguments[3], &records_a_key) || !take_octets(env, arguments[4], &early, &length)) {
    return NULL;
  }
  if (descriptor->tunnel->sealed != NULL) return throw_errno(env, EINVAL, "sealTunnel");
  struct sealed_tunnel *sealed = calloc(1, sizeof *sealed);
  if (sealed == NULL) return throw_errno(env, ENOMEM, "calloc");
  descriptor->tunnel->sealed = sealed;
  sealed->records_a_key = (uint64_t)(records_a_key < 0 ? 0 : records_a_key);
  if (length > 0) {
    if (!keep_carried(descriptor, length)) return throw_errno(env, ENOMEM, "malloc");
    memcpy(sealed->carried, early, length);
  }
  if (!take_keys(env, arguments + 1, sealed)) return NULL;
  CHECK_NAPI(env, napi_create_reference(env, arguments[5], 1, &sealed->on_record));
  return NULL;
}

// renewTunnelKeys(descriptor, opening, sealing): a key was updated.
napi_value renew_tunnel_keys(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct descriptor *descriptor;
  if (!take_arguments(env, info, arguments, 3) || !take_tunnel(env, arguments[0], &descriptor)) return NULL;
  if (descriptor->tunnel->sealed == NULL) return throw_errno(env, EINVAL, "renewTunnelKeys");
  take_keys(env, arguments + 1, descriptor->tunnel->sealed);
  return NULL;
}

#else

ssize_t sealed_read(struct descriptor *descriptor, bool is_from_loop) {
  (void)descriptor;
  (void)is_from_loop;
  return -ENOSYS;
}

const uint8_t *sealed_message(struct descriptor *descriptor, const uint8_t *message, size_t length,
                              size_t *sealed_bytes) {
  (void)descriptor;
  (void)message;
  (void)length;
  (void)sealed_bytes;
  return NULL;
}

size_t seal_content(struct descriptor *descriptor, uint8_t type, const uint8_t *content, size_t length, uint8_t *to) {
  (void)descriptor;
  (void)type;
  (void)content;
  (void)length;
  (void)to;
  return 0;
}

size_t sealed_length(size_t length) { return length; }

bool is_key_worn(const struct descriptor *descriptor) {
  (void)descriptor;
  return false;
}

uint8_t *sealed_block(struct fast_path *fast) {
  (void)fast;
  return NULL;
}

void sealed_end(struct descriptor *descriptor) { (void)descriptor; }

size_t sealed_held(const struct descriptor *descriptor) {
  (void)descriptor;
  return 0;
}

napi_value seal_tunnel(napi_env env, napi_callback_info info) {
  (void)info;
  return throw_errno(env, ENOSYS, "sealTunnel");
}

napi_value renew_tunnel_keys(napi_env env, napi_callback_info info) {
  (void)info;
  return throw_errno(env, ENOSYS, "renewTunnelKeys");
}

#endif
