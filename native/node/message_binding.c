// WebSocket messages, for src/wire/websocket/message-codec.ts.
#include "../datapath/websocket_messages.h"

#include "../datapath/frames.h"
#include "bindings.h"
#include "values.h"

// Takes a buffer, and a position within it.
static bool take_place(napi_env env, napi_value buffer, napi_value position, uint8_t **bytes, size_t *at,
                       size_t *size) {
  int32_t from;
  if (!take_octets(env, buffer, bytes, size) || !take_int32(env, position, &from)) return false;
  if (from < 0 || (size_t)from > *size) {
    napi_throw_range_error(env, NULL, "the position lies outside of its buffer");
    return false;
  }
  *at = (size_t)from;
  return true;
}

// maskOctets(source, sourceStart, target, targetStart, length, key)
static napi_value mask_octets(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  uint8_t *source, *target, *key;
  size_t source_at, source_size, target_at, target_size, key_size;
  int32_t length;
  if (!take_arguments(env, info, arguments, 6) ||
      !take_place(env, arguments[0], arguments[1], &source, &source_at, &source_size) ||
      !take_place(env, arguments[2], arguments[3], &target, &target_at, &target_size) ||
      !take_int32(env, arguments[4], &length) || !take_octets(env, arguments[5], &key, &key_size)) {
    return NULL;
  }
  if (length < 0 || (size_t)length > source_size - source_at || (size_t)length > target_size - target_at ||
      key_size < ETHERWS_KEY_BYTES) {
    napi_throw_range_error(env, NULL, "the octets lie outside of their buffer");
    return NULL;
  }
  etherws_mask(target + target_at, source + source_at, (size_t)length, key);
  return NULL;
}

// readMessages(bytes, from, end, isMasked, most, starts, lengths, position) returns the number of messages. position[0]
// gets the position behind the last of them.
static napi_value read_messages(napi_env env, napi_callback_info info) {
  napi_value arguments[8], result;
  uint8_t *bytes;
  size_t from, size, starts, lengths, position_size;
  int32_t end, most;
  bool is_masked;
  uint32_t *position;
  struct etherws_messages found = {0};
  if (!take_arguments(env, info, arguments, 8) || !take_place(env, arguments[0], arguments[1], &bytes, &from, &size) ||
      !take_int32(env, arguments[2], &end) || !take_bool(env, arguments[3], &is_masked) ||
      !take_int32(env, arguments[4], &most) || !take_words(env, arguments[5], &found.starts, &starts) ||
      !take_words(env, arguments[6], &found.lengths, &lengths) ||
      !take_words(env, arguments[7], &position, &position_size)) {
    return NULL;
  }
  if (end < 0 || (size_t)end < from || (size_t)end > size || most < 0 || position_size < 1) {
    napi_throw_range_error(env, NULL, "the octets lie outside of their buffer");
    return NULL;
  }
  found.capacity = (uint32_t)(starts < lengths ? starts : lengths);
  position[0] = (uint32_t)etherws_read_messages(bytes, from, (size_t)end, is_masked, (size_t)most, &found);
  CHECK_NAPI(env, napi_create_uint32(env, found.count, &result));
  return result;
}

// writeMessages(target, at, bytes, starts, lengths, indexes, count, leastBytes, keys) writes selected frames as
// messages, one after the other, each padded to leastBytes. `keys` has four octets for each; empty: not masked. Returns
// the position behind them.
static napi_value write_messages(napi_env env, napi_callback_info info) {
  napi_value arguments[9], result;
  uint8_t *target, *bytes, *keys;
  size_t at, target_size, size, starts_count, lengths_count, indexes_count, keys_size;
  uint32_t *starts, *lengths, *indexes;
  int32_t count, least;
  if (!take_arguments(env, info, arguments, 9) ||
      !take_place(env, arguments[0], arguments[1], &target, &at, &target_size) ||
      !take_octets(env, arguments[2], &bytes, &size) || !take_words(env, arguments[3], &starts, &starts_count) ||
      !take_words(env, arguments[4], &lengths, &lengths_count) ||
      !take_words(env, arguments[5], &indexes, &indexes_count) || !take_int32(env, arguments[6], &count) ||
      !take_int32(env, arguments[7], &least) || !take_octets(env, arguments[8], &keys, &keys_size)) {
    return NULL;
  }
  const bool is_masked = keys_size > 0;
  if (count < 0 || (size_t)count > indexes_count || least < 0 ||
      (is_masked && keys_size / ETHERWS_KEY_BYTES < (size_t)count)) {
    napi_throw_range_error(env, NULL, "there are fewer frames or keys than were announced");
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    uint32_t index = indexes[i];
    if (index >= starts_count || index >= lengths_count || starts[index] > size ||
        lengths[index] > size - starts[index]) {
      napi_throw_range_error(env, NULL, "a frame lies outside of its slab");
      return NULL;
    }
    size_t padded = lengths[index] < (uint32_t)least ? (size_t)least : lengths[index];
    if (target_size - at < padded + ETHERWS_MAX_MESSAGE_HEADER_BYTES) {
      napi_throw_range_error(env, NULL, "the target has no room for the messages");
      return NULL;
    }
    const uint8_t *key = is_masked ? keys + (size_t)i * ETHERWS_KEY_BYTES : NULL;
    at += etherws_write_message(target + at, bytes + starts[index], lengths[index], padded, key);
  }
  CHECK_NAPI(env, napi_create_uint32(env, (uint32_t)at, &result));
  return result;
}

// writeRecords(target, at, bytes, starts, lengths, indexes, count, hasOffloadHeaders, key) writes selected frames as
// one message of the batched wire. `key` has four octets; empty: not masked. Returns the position behind the message.
static napi_value write_records(napi_env env, napi_callback_info info) {
  napi_value arguments[9], result;
  uint8_t *target, *bytes, *key;
  size_t at, target_size, size, starts_count, lengths_count, indexes_count, key_size;
  uint32_t *starts, *lengths, *indexes;
  int32_t count;
  bool has_offload_headers;
  if (!take_arguments(env, info, arguments, 9) ||
      !take_place(env, arguments[0], arguments[1], &target, &at, &target_size) ||
      !take_octets(env, arguments[2], &bytes, &size) || !take_words(env, arguments[3], &starts, &starts_count) ||
      !take_words(env, arguments[4], &lengths, &lengths_count) ||
      !take_words(env, arguments[5], &indexes, &indexes_count) || !take_int32(env, arguments[6], &count) ||
      !take_bool(env, arguments[7], &has_offload_headers) || !take_octets(env, arguments[8], &key, &key_size)) {
    return NULL;
  }
  if (count < 0 || (size_t)count > indexes_count || (key_size > 0 && key_size < ETHERWS_KEY_BYTES)) {
    napi_throw_range_error(env, NULL, "there are fewer frames, or octets of the key, than were announced");
    return NULL;
  }
  const uint32_t front = has_offload_headers ? VNET_HEADER_BYTES : 0;
  for (int32_t i = 0; i < count; i++) {
    uint32_t index = indexes[i];
    if (index >= starts_count || index >= lengths_count || starts[index] < front || starts[index] > size ||
        lengths[index] > size - starts[index]) {
      napi_throw_range_error(env, NULL, "a frame lies outside of its slab");
      return NULL;
    }
  }
  struct etherws_batch records = {bytes, starts, lengths, indexes, (uint32_t)count, has_offload_headers};
  if (target_size - at < etherws_batch_bytes(&records) + ETHERWS_MAX_MESSAGE_HEADER_BYTES) {
    napi_throw_range_error(env, NULL, "the target has no room for the message");
    return NULL;
  }
  at += etherws_write_batch(target + at, &records, key_size > 0 ? key : NULL);
  CHECK_NAPI(env, napi_create_uint32(env, (uint32_t)at, &result));
  return result;
}

napi_value init_messages(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"maskOctets", mask_octets},
      {"readMessages", read_messages},
      {"writeMessages", write_messages},
      {"writeRecords", write_records},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}
