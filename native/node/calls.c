#include "calls.h"

void turn_enter(struct host *host) {
  host->is_in_turn = true;
  host->has_called = false;
}

void turn_leave(struct host *host) {
  host->is_in_turn = false;
  if (!host->has_called) return;
  host->has_called = false;
  // napi_make_callback drains nextTick and microtasks: calling an empty function through it does just that.
  tell_javascript(host, host->nothing, 0, 0);
}

napi_value call_javascript(struct host *host, napi_ref function, size_t count, const napi_value *arguments) {
  napi_env env = host->env;
  napi_value callback, receiver, result = NULL, exception;
  if (napi_get_reference_value(env, function, &callback) != napi_ok || callback == NULL ||
      napi_get_global(env, &receiver) != napi_ok) {
    return NULL;
  }
  napi_status status;
  if (host->is_in_turn) {
    host->has_called = true;
    status = napi_call_function(env, receiver, callback, count, arguments, &result);
  } else {
    status = napi_make_callback(env, NULL, receiver, callback, count, arguments, &result);
  }
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    napi_fatal_exception(env, exception);
  }
  return status == napi_ok ? result : NULL;
}

void tell_javascript(struct host *host, napi_ref function, int first, int second) {
  napi_env env = host->env;
  napi_handle_scope scope;
  napi_value arguments[2];
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_create_int32(env, first, &arguments[0]) == napi_ok &&
      napi_create_int32(env, second, &arguments[1]) == napi_ok) {
    call_javascript(host, function, 2, arguments);
  }
  napi_close_handle_scope(env, scope);
}

void tell_last(struct host *host, napi_ref function, int first, int second) {
  host->is_in_turn = false;
  tell_javascript(host, function, first, second);
  host->has_called = false;
}
