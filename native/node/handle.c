// The life of a handle:
//
// 1. handle_create gives an open file descriptor to JavaScript, as an external.
// 2. watch adds a poll handle to the loop. From then on the datapath reads, and calls JavaScript.
// 3. close ends polling at once. The loop closes the file descriptor and the poll handle, and then calls onClosed.
//
// The garbage collector, for an external without references, and the end of the environment (a worker thread that
// exits) may come first. Both do what close does. The memory is freed with the last of its two owners.
#include "handle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../datapath/datapath.h"
#include "busy_poll.h"
#include "calls.h"
#include "nested_poll.h"
#include "values.h"

_Static_assert((int)READABLE == (int)UV_READABLE && (int)WRITABLE == (int)UV_WRITABLE, "host.h has libuv's events");

static void release(struct handle *handle) {
  if (--handle->owners > 0) return;
  datapath_free(handle->descriptor);
  free(handle);
}

bool keep_reference(napi_env env, napi_ref *reference, napi_value value) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
  return value == NULL || napi_create_reference(env, value, 1, reference) == napi_ok;
}

// One operation of closing is done. After the last one nothing of the handle is left in the loop.
static void settle(struct handle *handle) {
  napi_env env = handle->env;
  if (--handle->closing > 0) return;
  if (handle->on_closed != NULL && !handle->is_ending) tell_javascript(handle->host, handle->on_closed, 0, 0);
  keep_reference(env, &handle->on_closed, NULL);
  keep_reference(env, &handle->on_ready, NULL);
  if (handle->cleanup != NULL) napi_remove_async_cleanup_hook(handle->cleanup);
  release(handle);
}

static void on_poll_closed(uv_handle_t *poll) { settle(poll->data); }

static void on_fd_closed(uv_fs_t *request) {
  struct handle *handle = request->data;
  uv_fs_req_cleanup(request);
  settle(handle);
}

// Closing a TAP takes tens of milliseconds, in which the kernel waits for all its readers. So a thread of libuv's pool
// does it, as long as the loop can wait for that.
static void close_fd(struct handle *handle, int fd, bool is_loop_alive) {
  handle->close_request.data = handle;
  if (is_loop_alive && handle->descriptor->kind == KIND_TAP &&
      uv_fs_close(handle->host->loop, &handle->close_request, fd, on_fd_closed) == 0) {
    handle->closing++;
  } else {
    close(fd);
  }
}

static void forget(struct handle *handle) {
  napi_ref *references[] = {&handle->on_octets, &handle->on_record, &handle->counters,
                            &handle->meter,     &handle->opening,   &handle->sealing};
  for (size_t i = 0; i < sizeof references / sizeof *references; i++) keep_reference(handle->env, references[i], NULL);
}

// Idempotent: the finalizer calls it again after close().
static void end(struct handle *handle) {
  if (handle->descriptor->fd < 0) return;
  const bool was_watched = handle->descriptor->is_watched;
  if (handle->is_nested) nested_poll_leave(handle->host->nested_poll, handle->descriptor->fd);
  handle->is_nested = false;
  const int fd = datapath_close(handle->descriptor);
  forget(handle);
  if (was_watched) {
    // Removes the file descriptor from epoll at once, so that it can be closed.
    handle->closing++;
    uv_close((uv_handle_t *)&handle->poll, on_poll_closed);
  }
  close_fd(handle, fd, was_watched && !handle->is_ending);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct handle *handle = data;
  (void)hook;
  handle->is_ending = true;
  end(handle);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  end(data);
  release(data);
}

napi_value handle_create(napi_env env, int fd, enum descriptor_kind kind, bool has_vnet_header) {
  struct host *host = host_of(env);
  struct handle *handle = calloc(1, sizeof *handle);
  struct descriptor *descriptor = handle == NULL ? NULL : datapath_adopt(host->datapath, fd, kind, has_vnet_header);
  if (descriptor == NULL) {
    free(handle);
    close(fd);
    return throw_errno(env, ENOMEM, "calloc");
  }
  handle->descriptor = descriptor;
  handle->host = host;
  handle->env = env;
  handle->owners = 1;
  descriptor->owner = handle;

  // JavaScript can neither make nor change an external, and on the data path it is cheaper to read than a wrapped
  // object with a type tag.
  napi_value external;
  if (napi_create_external(env, handle, on_collected, NULL, &external) != napi_ok) {
    on_collected(env, handle, NULL);
    return throw_napi_failure(env);
  }
  return external;
}

bool take_handle(napi_env env, napi_value value, struct handle **result) {
  if (napi_get_value_external(env, value, (void **)result) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "expected a descriptor");
  return false;
}

bool take_descriptor(napi_env env, napi_value value, struct descriptor **result) {
  struct handle *handle;
  if (!take_handle(env, value, &handle)) return false;
  *result = handle->descriptor;
  return true;
}

bool take_fd_or_none(napi_env env, napi_value value, int *fd) {
  struct descriptor *descriptor;
  *fd = -1;
  if (is_undefined(env, value)) return true;
  if (!take_descriptor(env, value, &descriptor)) return false;
  *fd = descriptor->fd;
  if (*fd >= 0) return true;
  napi_throw_type_error(env, NULL, "expected an open descriptor");
  return false;
}

void handle_ready(struct handle *handle, int status) {
  struct host *host = handle->host;
  const bool is_first = handle->is_nested && nested_poll_begin(host->nested_poll);
  turn_enter(host);
  datapath_ready(handle->descriptor, status);
  turn_leave(host);
  if (is_first) nested_poll_end(host->nested_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct handle *handle = poll->data;
  struct descriptor *descriptor = handle->descriptor;
  busy_poll_note(handle->host->busy_poll);
  if (status < 0) {
    // libuv has stopped polling. Reading SO_ERROR clears the error of a socket, and polling goes on. The error of a TAP
    // means that it was deleted, and is final.
    int error = EBADFD;
    socklen_t size = sizeof error;
    if (descriptor->kind != KIND_TAP && getsockopt(descriptor->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
      int restarted = descriptor_poll(descriptor);
      if (restarted < 0) error = -restarted;
    }
    status = -error;
  }
  handle_ready(handle, status < 0 ? status : events);
}

int host_watch(struct descriptor *descriptor, int events) {
  uv_poll_t *poll = &handle_of(descriptor)->poll;
  return events != 0 ? uv_poll_start(poll, events, on_poll) : uv_poll_stop(poll);
}

// watch(descriptor, onReady(status, count))
static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  if (!take_arguments(env, info, arguments, 2) || !take_handle(env, arguments[0], &handle)) return NULL;
  struct descriptor *descriptor = handle->descriptor;
  if (descriptor->fd < 0 || descriptor->is_watched) return throw_errno(env, EBADF, "watch");
  if (!keep_reference(env, &handle->on_ready, arguments[1])) return throw_napi_failure(env);
  int status = uv_poll_init(handle->host->loop, &handle->poll, descriptor->fd);
  if (status < 0) {
    keep_reference(env, &handle->on_ready, NULL);
    return throw_errno(env, -status, "uv_poll_init");
  }
  handle->poll.data = handle;
  handle->owners++;
  status = datapath_watch(descriptor);
  if (status < 0) {
    end(handle);
    return throw_errno(env, -status, "uv_poll_start");
  }
  if (napi_add_async_cleanup_hook(env, on_environment_end, handle, &handle->cleanup) != napi_ok) {
    handle->cleanup = NULL;
    end(handle);
    return throw_napi_failure(env);
  }
  handle->is_nested = descriptor->kind != KIND_LINK_EVENTS;
  if (handle->is_nested) nested_poll_join(handle->host->nested_poll, descriptor->fd, handle);
  return NULL;
}

static napi_value set_awaited(napi_env env, struct descriptor *descriptor, int events) {
  int status = datapath_await(descriptor, events);
  return status < 0 ? throw_errno(env, -status, "uv_poll_start") : NULL;
}

static napi_value set_polling(napi_env env, napi_callback_info info, bool is_on) {
  napi_value argument;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  return set_awaited(env, descriptor, is_on ? READABLE : 0);
}

static napi_value pause_reading(napi_env env, napi_callback_info info) { return set_polling(env, info, false); }

static napi_value resume_reading(napi_env env, napi_callback_info info) { return set_polling(env, info, true); }

// await(descriptor, events): READABLE, WRITABLE, or'ed; 0: none.
static napi_value await_events(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  int32_t events;
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_int32(env, arguments[1], &events)) {
    return NULL;
  }
  return set_awaited(env, descriptor, events);
}

// close(descriptor, onClosed()) returns whether onClosed will be called: only for a watched descriptor.
static napi_value close_handle(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  struct handle *handle;
  if (!take_arguments(env, info, arguments, 2) || !take_handle(env, arguments[0], &handle)) return NULL;
  // Only a watched descriptor has a poll handle that the loop closes, and a hook that has the environment wait for
  // that.
  const bool will_call = handle->descriptor->is_watched;
  CHECK_NAPI(env, napi_get_boolean(env, will_call, &result));
  if (will_call && !keep_reference(env, &handle->on_closed, arguments[1])) return throw_napi_failure(env);
  end(handle);
  return result;
}

static void on_readable(void *data) {
  struct handle *handle = data;
  // The callback for another descriptor may have closed or paused this one. Its memory is still there: the loop is an
  // owner until it has closed the poll handle, which does not happen inside of this poll.
  const struct descriptor *descriptor = handle->descriptor;
  if (descriptor->is_watched && (descriptor_events(descriptor) & READABLE) != 0) handle_ready(handle, READABLE);
}

// pollNow()
static napi_value poll_now(napi_env env, napi_callback_info info) {
  (void)info;
  nested_poll_run(host_of(env)->nested_poll, on_readable);
  return NULL;
}

napi_value init_handles(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"watch", watch},        {"pause", pause_reading}, {"resume", resume_reading},
      {"await", await_events}, {"close", close_handle},  {"pollNow", poll_now},
  };
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}
