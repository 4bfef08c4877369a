// Conversion of JavaScript's values: arguments, results and exported functions.
#ifndef ETHERWS_VALUES_H
#define ETHERWS_VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

// An exported function and its name.
struct export {
  const char *name;
  napi_callback function;
};

// Adds the functions of a table to `exports`. Returns it, or NULL with an exception pending.
napi_value add_exports(napi_env env, napi_value exports, const struct export *table, size_t count);

// Each of the following returns false with a TypeError or RangeError pending when a value is not what it must be.
bool take_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);
// The same with optional arguments at the end: missing ones are undefined.
bool take_arguments_from(napi_env env, napi_callback_info info, napi_value *values, size_t least, size_t most);
bool is_undefined(napi_env env, napi_value value);
bool take_int32(napi_env env, napi_value value, int32_t *result);
// The same for an optional number: `missing` is the result for undefined.
bool take_int32_or(napi_env env, napi_value value, int32_t missing, int32_t *result);
bool take_bool(napi_env env, napi_value value, bool *result);
bool take_string(napi_env env, napi_value value, char *result, size_t size);
bool take_octets(napi_env env, napi_value value, uint8_t **bytes, size_t *length);
// Takes three values: a view, and the first position and the end of a range in it.
bool take_range(napi_env env, const napi_value *values, uint8_t **bytes, size_t *length);
bool take_words(napi_env env, napi_value value, uint32_t **words, size_t *length);

// Each returns false with an exception pending.
bool set_number(napi_env env, napi_value object, const char *name, double number);
bool set_bool(napi_env env, napi_value object, const char *name, bool value);
bool set_string(napi_env env, napi_value object, const char *name, const char *text);

#endif
