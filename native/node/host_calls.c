// The callbacks of the datapath (datapath/host.h), as calls of JavaScript's functions. src/native/streams.ts says what
// the arguments mean.
#include "../datapath/datapath.h"
#include "../datapath/state.h"
#include "calls.h"
#include "handle.h"

void host_ready(struct descriptor *descriptor, int status, int count, enum host_call call) {
  const struct handle *handle = handle_of(descriptor);
  if (call == LAST_OF_TURN) tell_last(handle->host, handle->on_ready, status, count);
  else tell_javascript(handle->host, handle->on_ready, status, count);
}

// The Buffer lives as long as the environment.
bool host_new_slab(struct host *host, size_t bytes, struct slab *slab) {
  napi_env env = host->env;
  napi_handle_scope scope;
  napi_value buffer;
  napi_ref reference;
  void *data;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  const bool is_made = napi_create_buffer(env, bytes, &data, &buffer) == napi_ok &&
                       napi_create_reference(env, buffer, 1, &reference) == napi_ok;
  napi_close_handle_scope(env, scope);
  if (!is_made) return false;
  slab->bytes = data;
  slab->handle = reference;
  return true;
}

void host_free_slab(struct host *host, struct slab *slab) {
  (void)host;
  slab->bytes = NULL;
}

// Calls a function from inside of a call by JavaScript, which gets its exceptions. Returns NULL after an exception.
static napi_value call_inside(napi_env env, napi_ref function, size_t count, const napi_value *arguments) {
  napi_value receiver, callback, result;
  if (napi_get_global(env, &receiver) != napi_ok || napi_get_reference_value(env, function, &callback) != napi_ok ||
      napi_call_function(env, receiver, callback, count, arguments, &result) != napi_ok) {
    return NULL;
  }
  return result;
}

bool host_octets(struct descriptor *descriptor, const struct octets *octets, bool is_from_loop,
                 struct octets_answer *answer) {
  const struct handle *handle = handle_of(descriptor);
  napi_env env = handle->env;
  napi_handle_scope scope;
  napi_value arguments[6], result = NULL;
  int32_t position;
  bool is_answered = false;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  if (napi_get_reference_value(env, octets->slab->handle, &arguments[0]) == napi_ok &&
      napi_create_uint32(env, octets->frames, &arguments[1]) == napi_ok &&
      napi_create_int32(env, octets->has_other ? (int32_t)octets->other_start : -1, &arguments[2]) == napi_ok &&
      napi_create_uint32(env, octets->other_length, &arguments[3]) == napi_ok &&
      napi_create_uint32(env, (uint32_t)octets->position, &arguments[4]) == napi_ok &&
      napi_create_uint32(env, (uint32_t)octets->end, &arguments[5]) == napi_ok) {
    result = is_from_loop ? call_javascript(handle->host, handle->on_octets, 6, arguments)
                          : call_inside(env, handle->on_octets, 6, arguments);
  }
  if (result != NULL && napi_get_value_int32(env, result, &position) == napi_ok) {
    // The complement of a position: a fragmented message is not complete yet.
    answer->is_whole = position >= 0;
    answer->consumed = (size_t)(position >= 0 ? position : ~position);
    is_answered = true;
  }
  napi_close_handle_scope(env, scope);
  return is_answered;
}

enum record_answer host_record(struct descriptor *descriptor, int status, const uint8_t *content, size_t length,
                               bool has_data) {
  const struct handle *handle = handle_of(descriptor);
  napi_env env = handle->env;
  napi_handle_scope scope;
  napi_value arguments[3], result = NULL;
  int32_t answer = STOP;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return STOP;
  if (napi_create_int32(env, status, &arguments[0]) == napi_ok &&
      napi_create_buffer_copy(env, length, content, NULL, &arguments[1]) == napi_ok &&
      napi_get_boolean(env, has_data, &arguments[2]) == napi_ok) {
    result = call_javascript(handle->host, handle->on_record, 3, arguments);
  }
  if (result == NULL || napi_get_value_int32(env, result, &answer) != napi_ok) answer = STOP;
  napi_close_handle_scope(env, scope);
  return answer == GO_ON || answer == GO_ON_INSIDE_A_MESSAGE ? (enum record_answer)answer : STOP;
}
