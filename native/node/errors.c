#include <errno.h>
#include <string.h>

#include "addon.h"

// Throws an Error as Node's own are: `code` is the errno's name, `errno` its number, `syscall` what was called.
napi_value throw_errno(napi_env env, int error, const char *syscall) {
  char name[32];
  char message[160];
  uv_err_name_r(uv_translate_sys_error(error), name, sizeof name);
  int length = snprintf(message, sizeof message, "%s: ", syscall);
  if (length < 0 || (size_t)length >= sizeof message) length = 0;
  uv_strerror_r(uv_translate_sys_error(error), message + length, sizeof message - (size_t)length);

  napi_value code, text, exception;
  CHECK_NAPI(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code));
  CHECK_NAPI(env, napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text));
  CHECK_NAPI(env, napi_create_error(env, code, text, &exception));
  if (!set_number(env, exception, "errno", error) || !set_string(env, exception, "syscall", syscall)) return NULL;
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

// A failure that says nothing about the frame: ask again when there is readiness.
bool warrants_retry(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// has_debt: the frame's offload header asked for something, so EINVAL is about that.
enum tally_index tally_of_write_error(int error, bool has_debt) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM: return TALLY_QUEUE_FULL;
    case EIO:  // what a TAP answers while it is down
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EBADFD:  // what a TAP answers once it was deleted
      return TALLY_LINK_DOWN;
    case EMSGSIZE: return TALLY_TOO_LONG;
    case EINVAL: return has_debt ? TALLY_BAD_OFFLOAD : TALLY_DEVICE_ERROR;
    default: return TALLY_DEVICE_ERROR;
  }
}
