// Tunnels: streams whose messages the datapath parses and writes.
#include <errno.h>

#include "../datapath/buffer_budget.h"
#include "../datapath/datapath.h"
#include "../datapath/state.h"
#include "../datapath/stream_ingress.h"
#include "../datapath/tls_records.h"
#include "../datapath/tls_stream.h"
#include "../datapath/tunnel.h"
#include "bindings.h"
#include "handle.h"
#include "stream_values.h"
#include "values.h"

static bool keep(napi_env env, napi_value value) {
  napi_ref reference;  // never deleted: it ends with the environment
  return napi_create_reference(env, value, 1, &reference) == napi_ok;
}

// shareFrameList(starts, lengths)
static napi_value share_frame_list(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t *starts, *lengths;
  size_t first, second;
  if (!take_arguments(env, info, arguments, 2) || !take_words(env, arguments[0], &starts, &first) ||
      !take_words(env, arguments[1], &lengths, &second)) {
    return NULL;
  }
  if (!keep(env, arguments[0]) || !keep(env, arguments[1])) return throw_napi_failure(env);
  datapath_share_frame_list(host_of(env)->datapath, starts, lengths, (uint32_t)(first < second ? first : second));
  return NULL;
}

// shareBufferCells(cells)
static napi_value share_buffer_cells(napi_env env, napi_callback_info info) {
  napi_value cells;
  uint8_t *bytes;
  size_t length;
  if (!take_arguments(env, info, &cells, 1) || !take_octets(env, cells, &bytes, &length)) return NULL;
  if (length < BUFFER_CELLS * sizeof(double)) return throw_range(env, "expected three cells");
  if (!keep(env, cells)) return throw_napi_failure(env);
  datapath_share_buffer_cells(host_of(env)->datapath, (double *)(void *)bytes);
  return NULL;
}

// openTunnel(descriptor, isMasking, isBatched, maxMessageBytes, onOctets)
static napi_value open_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  struct stream *stream;
  bool is_masking, is_batched;
  int32_t max_message_bytes;
  if (!take_arguments(env, info, arguments, 5) || !take_stream(env, arguments[0], &stream) ||
      !take_bool(env, arguments[1], &is_masking) || !take_bool(env, arguments[2], &is_batched) ||
      !take_int32(env, arguments[3], &max_message_bytes)) {
    return NULL;
  }
  if (stream->head.datapath->capacity == 0) return throw_errno(env, EBADF, "openTunnel");
  const uint32_t most = max_message_bytes < 0 ? 0 : (uint32_t)max_message_bytes;
  const int status = tunnel_open(stream, is_masking, is_batched, most);
  if (status < 0) return throw_errno(env, -status, "openTunnel");
  if (!keep_reference(env, &handle_of(&stream->head)->on_octets, arguments[4])) {
    tunnel_free(stream);
    return throw_napi_failure(env);
  }
  return NULL;
}

// readTunnel(descriptor) returns the number of octets read, 0 at the end of the stream, or -errno.
static napi_value read_tunnel(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct stream *stream;
  if (!take_arguments(env, info, &argument, 1) || !take_tunnel(env, argument, "readTunnel", &stream)) return NULL;
  CHECK_NAPI(env, napi_create_int32(env, (int32_t)tunnel_read(stream), &result));
  return result;
}

// feedTunnel(descriptor, bytes)
static napi_value feed_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct stream *stream;
  uint8_t *bytes;
  size_t length;
  if (!take_arguments(env, info, arguments, 2) || !take_tunnel(env, arguments[0], "feedTunnel", &stream) ||
      !take_octets(env, arguments[1], &bytes, &length)) {
    return NULL;
  }
  return tunnel_feed(stream, bytes, length) ? NULL : throw_errno(env, ENOMEM, "malloc");
}

// heldBytes(descriptor)
static napi_value held_bytes(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct stream *stream;
  if (!take_arguments(env, info, &argument, 1) || !take_stream(env, argument, &stream)) return NULL;
  CHECK_NAPI(env, napi_create_double(env, (double)tunnel_held(stream), &result));
  return result;
}

#ifdef ETHERWS_HAS_CIPHERS

static bool take_keys(napi_env env, const napi_value *values, struct etherws_tls_records **opening,
                      struct etherws_tls_records **sealing) {
  if (napi_get_value_external(env, values[0], (void **)opening) == napi_ok && !(*opening)->is_sealing &&
      napi_get_value_external(env, values[1], (void **)sealing) == napi_ok && (*sealing)->is_sealing) {
    return true;
  }
  napi_throw_type_error(env, NULL, "expected TLS records that open, and TLS records that seal");
  return false;
}

// Sets the keys, and keeps them alive as long as the tunnel uses them.
static napi_value use_keys(napi_env env, struct stream *stream, const napi_value *values,
                           struct etherws_tls_records *opening, struct etherws_tls_records *sealing) {
  struct handle *handle = handle_of(&stream->head);
  tls_stream_set_keys(stream->tunnel->tls, opening, sealing);
  if (keep_reference(env, &handle->opening, values[0]) && keep_reference(env, &handle->sealing, values[1])) return NULL;
  return throw_napi_failure(env);
}

// sealTunnel(descriptor, opening, sealing, recordsAKey, early, onRecord)
static napi_value seal_tunnel(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  struct stream *stream;
  struct etherws_tls_records *opening, *sealing;
  int32_t records_a_key;
  uint8_t *early;
  size_t length;
  if (!take_arguments(env, info, arguments, 6) || !take_tunnel(env, arguments[0], "sealTunnel", &stream) ||
      !take_keys(env, arguments + 1, &opening, &sealing) || !take_int32(env, arguments[3], &records_a_key) ||
      !take_octets(env, arguments[4], &early, &length)) {
    return NULL;
  }
  if (stream->tunnel->tls != NULL) return throw_errno(env, EINVAL, "sealTunnel");
  if (!keep_reference(env, &handle_of(&stream->head)->on_record, arguments[5])) return throw_napi_failure(env);
  const int status = tunnel_start_tls(stream, (uint64_t)(records_a_key < 0 ? 0 : records_a_key), early, length);
  if (status < 0) return throw_errno(env, -status, "sealTunnel");
  return use_keys(env, stream, arguments + 1, opening, sealing);
}

// renewTunnelKeys(descriptor, opening, sealing)
static napi_value renew_tunnel_keys(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct stream *stream;
  struct etherws_tls_records *opening, *sealing;
  if (!take_arguments(env, info, arguments, 3) || !take_tunnel(env, arguments[0], "renewTunnelKeys", &stream) ||
      !take_keys(env, arguments + 1, &opening, &sealing)) {
    return NULL;
  }
  if (stream->tunnel->tls == NULL) return throw_errno(env, EINVAL, "renewTunnelKeys");
  return use_keys(env, stream, arguments + 1, opening, sealing);
}

#else

static napi_value seal_tunnel(napi_env env, napi_callback_info info) {
  (void)info;
  return throw_errno(env, ENOSYS, "sealTunnel");
}

static napi_value renew_tunnel_keys(napi_env env, napi_callback_info info) {
  (void)info;
  return throw_errno(env, ENOSYS, "renewTunnelKeys");
}

#endif

napi_value init_tunnels(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"shareFrameList", share_frame_list}, {"shareBufferCells", share_buffer_cells},
      {"openTunnel", open_tunnel},          {"readTunnel", read_tunnel},
      {"feedTunnel", feed_tunnel},          {"heldBytes", held_bytes},
      {"sealTunnel", seal_tunnel},          {"renewTunnelKeys", renew_tunnel_keys},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}
