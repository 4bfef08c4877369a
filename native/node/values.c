#include "values.h"

static bool refuse(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return false;
}

bool take_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok) return refuse(env, "no arguments");
  return given >= count || refuse(env, "too few arguments");
}

bool take_arguments_from(napi_env env, napi_callback_info info, napi_value *values, size_t least, size_t most) {
  size_t given = most;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok) return refuse(env, "no arguments");
  return given >= least || refuse(env, "too few arguments");
}

bool take_int32(napi_env env, napi_value value, int32_t *result) {
  return napi_get_value_int32(env, value, result) == napi_ok || refuse(env, "expected a number");
}

bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

bool take_int32_or(napi_env env, napi_value value, int32_t missing, int32_t *result) {
  if (!is_undefined(env, value)) return take_int32(env, value, result);
  *result = missing;
  return true;
}

bool take_bool(napi_env env, napi_value value, bool *result) {
  return napi_get_value_bool(env, value, result) == napi_ok || refuse(env, "expected a boolean");
}

bool take_string(napi_env env, napi_value value, char *result, size_t size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return refuse(env, "expected a string");
  if (length >= size) return refuse(env, "string too long");
  return napi_get_value_string_utf8(env, value, result, size, NULL) == napi_ok || refuse(env, "expected a string");
}

// Takes the octets of any view of an ArrayBuffer. The type of the view is not checked: napi_get_typedarray_info would
// take three times as long, and the callers of the addon are type-checked. A detached buffer has no length. So the
// octets stay valid until JavaScript runs again.
static bool take_view(napi_env env, napi_value value, void **data, size_t *bytes) {
  bool is_view = false;
  return napi_is_buffer(env, value, &is_view) == napi_ok && is_view &&
         napi_get_buffer_info(env, value, data, bytes) == napi_ok;
}

bool take_octets(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  return take_view(env, value, (void **)bytes, length) || refuse(env, "expected a Uint8Array");
}

bool take_range(napi_env env, const napi_value *values, uint8_t **bytes, size_t *length) {
  int32_t from, to;
  size_t size;
  if (!take_octets(env, values[0], bytes, &size) || !take_int32(env, values[1], &from) ||
      !take_int32(env, values[2], &to)) {
    return false;
  }
  if (from < 0 || to < from || (size_t)to > size) {
    napi_throw_range_error(env, NULL, "the range lies outside of its buffer");
    return false;
  }
  *bytes += from;
  *length = (size_t)(to - from);
  return true;
}

bool take_words(napi_env env, napi_value value, uint32_t **words, size_t *length) {
  if (!take_view(env, value, (void **)words, length)) return refuse(env, "expected a Uint32Array");
  *length /= sizeof **words;
  return true;
}

static bool set(napi_env env, napi_status created, napi_value object, const char *name, napi_value value) {
  if (created == napi_ok && napi_set_named_property(env, object, name, value) == napi_ok) return true;
  throw_napi_failure(env);
  return false;
}

bool set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value = NULL;
  napi_status created = napi_create_double(env, number, &value);
  return set(env, created, object, name, value);
}

bool set_bool(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value = NULL;
  napi_status created = napi_get_boolean(env, flag, &value);
  return set(env, created, object, name, value);
}

bool set_string(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value = NULL;
  napi_status created = napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return set(env, created, object, name, value);
}

napi_value add_exports(napi_env env, napi_value exports, const struct export *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    CHECK_NAPI(env, napi_create_function(env, table[i].name, NAPI_AUTO_LENGTH, table[i].function, NULL, &function));
    CHECK_NAPI(env, napi_set_named_property(env, exports, table[i].name, function));
  }
  return exports;
}
