#include "errors.h"

#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

static void set_property(napi_env env, napi_value object, const char *name, napi_status created, napi_value value) {
  if (created == napi_ok) napi_set_named_property(env, object, name, value);
}

napi_value throw_errno(napi_env env, int error, const char *syscall) {
  char name[32];
  char message[160];
  uv_err_name_r(uv_translate_sys_error(error), name, sizeof name);
  int length = snprintf(message, sizeof message, "%s: ", syscall);
  if (length < 0 || (size_t)length >= sizeof message) length = 0;
  uv_strerror_r(uv_translate_sys_error(error), message + length, sizeof message - (size_t)length);

  napi_value code, text, exception, number = NULL, name_of_call = NULL;
  CHECK_NAPI(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code));
  CHECK_NAPI(env, napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text));
  CHECK_NAPI(env, napi_create_error(env, code, text, &exception));
  set_property(env, exception, "errno", napi_create_int32(env, error, &number), number);
  napi_status created = napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &name_of_call);
  set_property(env, exception, "syscall", created, name_of_call);
  CHECK_NAPI(env, napi_throw(env, exception));
  return NULL;
}

napi_value throw_napi_failure(napi_env env) {
  const napi_extended_error_info *failure = NULL;
  bool is_pending = false;
  napi_get_last_error_info(env, &failure);
  const char *message = failure != NULL && failure->error_message != NULL ? failure->error_message : "Node-API failed";
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending) return NULL;
  napi_throw_error(env, NULL, message);
  return NULL;
}

napi_value throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
  return NULL;
}
