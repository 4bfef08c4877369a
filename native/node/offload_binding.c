// The offload engine, for src/wire/offload/native-engine.ts. A slab that frames are appended to is five arguments:
// bytes, end, starts, lengths, count.
#include "../offload/offload.h"
#include "bindings.h"
#include "environment.h"
#include "values.h"

static napi_value number(napi_env env, int32_t value) {
  napi_value result;
  CHECK_NAPI(env, napi_create_int32(env, value, &result));
  return result;
}

static bool take_count(napi_env env, napi_value value, uint32_t *result) {
  int32_t number;
  if (!take_int32(env, value, &number)) return false;
  *result = (uint32_t)number;
  if (number < 0) napi_throw_range_error(env, NULL, "expected a number that is not negative");
  return number >= 0;
}

// Whether a frame and its header lie within the slab. Checked here, because a wrong position would read memory outside
// of the slab.
static bool is_inside(size_t size, uint32_t start, uint32_t length, bool has_header) {
  return start <= size && length <= size - start && (!has_header || start >= ETHERWS_OFFLOAD_HEADER_BYTES);
}

static napi_value throw_outside(napi_env env) {
  napi_throw_range_error(env, NULL, "a frame lies outside of its slab");
  return NULL;
}

static bool take_records(napi_env env, const napi_value *values, struct etherws_records *records) {
  uint32_t end;
  size_t starts, lengths;
  if (!take_octets(env, values[0], &records->bytes, &records->size) || !take_count(env, values[1], &end) ||
      !take_words(env, values[2], &records->starts, &starts) ||
      !take_words(env, values[3], &records->lengths, &lengths) || !take_count(env, values[4], &records->count)) {
    return false;
  }
  records->end = end;
  records->capacity = (uint32_t)(starts < lengths ? starts : lengths);
  if (end <= records->size && records->count <= records->capacity) return true;
  throw_outside(env);
  return false;
}

// checkOffload(bytes, start, length) returns 0 or the fault. Corrects hdr_len and the mark of encapsulation.
static napi_value check_offload(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  uint8_t *bytes;
  size_t size;
  uint32_t start, length;
  if (!take_arguments(env, info, arguments, 3) || !take_octets(env, arguments[0], &bytes, &size) ||
      !take_count(env, arguments[1], &start) || !take_count(env, arguments[2], &length)) {
    return NULL;
  }
  if (!is_inside(size, start, length, true)) return throw_outside(env);
  uint8_t *offload = bytes + start - ETHERWS_OFFLOAD_HEADER_BYTES;
  struct etherws_frame frame = {bytes + start, offload, length};
  return number(env, (int32_t)etherws_check_and_correct(&frame, offload));
}

// finishFrame(bytes, start, length, hasOffloadHeader, offloads, ...slab) returns the number of appended frames, or
// -fault.
static napi_value finish_frame(napi_env env, napi_callback_info info) {
  napi_value arguments[10];
  uint8_t *bytes;
  size_t size;
  uint32_t start, length, offloads;
  bool has_header;
  struct etherws_records out;
  if (!take_arguments(env, info, arguments, 10) || !take_octets(env, arguments[0], &bytes, &size) ||
      !take_count(env, arguments[1], &start) || !take_count(env, arguments[2], &length) ||
      !take_bool(env, arguments[3], &has_header) || !take_count(env, arguments[4], &offloads) ||
      !take_records(env, arguments + 5, &out)) {
    return NULL;
  }
  if (!is_inside(size, start, length, has_header)) return throw_outside(env);
  const uint8_t *offload = has_header ? bytes + start - ETHERWS_OFFLOAD_HEADER_BYTES : NULL;
  struct etherws_frame frame = {bytes + start, offload, length};
  uint32_t before = out.count;
  enum etherws_fault fault = etherws_finish(&frame, offloads, &out);
  return number(env, fault != ETHERWS_OK ? -(int32_t)fault : (int32_t)(out.count - before));
}

napi_value init_offload(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"checkOffload", check_offload},
      {"finishFrame", finish_frame},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}
