// A descriptor's life, and its readiness.
//
// 1. descriptor_create hands an open file descriptor to JavaScript, as an external.
// 2. watch puts a poll handle into the loop; it calls JavaScript once per
//    wake-up, which then reads as much as it has room for.
// 3. close ends readiness at once, and the file descriptor and the poll handle
//    in the loop's own time; then JavaScript hears of it.
//
// Two others may get there first: the garbage collector, for an object that
// was forgotten, and the end of the environment (a worker thread that exits).
// Both do what close does. The memory goes with the last of its two owners.
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../datapath/fast_path.h"
#include "addon.h"

static void release(struct descriptor *descriptor) {
  if (--descriptor->owners > 0) return;
  fast_path_release(descriptor->fast);
  free(descriptor);
}

static void forget(napi_env env, napi_ref *reference) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
}

napi_value call_javascript(struct descriptor *descriptor, napi_ref function, size_t count,
                           const napi_value *arguments) {
  napi_env env = descriptor->env;
  napi_value callback, receiver, result = NULL, exception;
  if (napi_get_reference_value(env, function, &callback) != napi_ok || callback == NULL ||
      napi_get_global(env, &receiver) != napi_ok) {
    return NULL;
  }
  struct fast_path *fast = descriptor->fast;
  napi_status status;
  if (fast->is_in_turn) {
    fast->has_called = true;
    status = napi_call_function(env, receiver, callback, count, arguments, &result);
  } else {
    status = napi_make_callback(env, NULL, receiver, callback, count, arguments, &result);
  }
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    napi_fatal_exception(env, exception);
  }
  return status == napi_ok ? result : NULL;
}

void tell_javascript(struct descriptor *descriptor, napi_ref function, int status, int count) {
  napi_env env = descriptor->env;
  napi_handle_scope scope;
  napi_value arguments[2];
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_create_int32(env, status, &arguments[0]) == napi_ok &&
      napi_create_int32(env, count, &arguments[1]) == napi_ok) {
    call_javascript(descriptor, function, 2, arguments);
  }
  napi_close_handle_scope(env, scope);
}

void tell_last(struct descriptor *descriptor, int status, int count) {
  descriptor->fast->is_in_turn = false;
  tell_javascript(descriptor, descriptor->on_ready, status, count);
  descriptor->fast->has_called = false;
}

// One part of closing is done; behind the last one nothing of it is left in the loop.
static void settle(struct descriptor *descriptor) {
  if (--descriptor->closing > 0) return;
  if (descriptor->on_closed != NULL && !descriptor->is_ending) {
    tell_javascript(descriptor, descriptor->on_closed, 0, 0);
  }
  forget(descriptor->env, &descriptor->on_ready);
  forget(descriptor->env, &descriptor->on_closed);
  if (descriptor->cleanup != NULL) napi_remove_async_cleanup_hook(descriptor->cleanup);
  release(descriptor);
}

static void on_poll_closed(uv_handle_t *handle) { settle(handle->data); }

static void on_fd_closed(uv_fs_t *request) {
  struct descriptor *descriptor = request->data;
  uv_fs_req_cleanup(request);
  settle(descriptor);
}

// Closing a TAP makes the kernel wait for all its readers, tens of milliseconds long: another thread's work, while the
// loop lives.
static void close_fd(struct descriptor *descriptor, bool is_loop_alive) {
  int fd = descriptor->fd;
  descriptor->fd = -1;
  if (fd < 0) return;
  descriptor->close_request.data = descriptor;
  if (is_loop_alive && descriptor->kind == KIND_TAP &&
      uv_fs_close(descriptor->poll.loop, &descriptor->close_request, fd, on_fd_closed) == 0) {
    descriptor->closing++;
  } else {
    close(fd);
  }
}

static void end(struct descriptor *descriptor) {
  // What was closed is ended once more when it is collected, long after: that is nobody's concern any more.
  if (descriptor->fd < 0) return;
  fast_path_leave(descriptor);
  bool was_watched = descriptor->is_watched;
  interlude_leave(descriptor);
  descriptor->is_watched = false;
  if (was_watched) {
    // Takes it out of epoll now, so that the file descriptor may go.
    descriptor->closing++;
    uv_close((uv_handle_t *)&descriptor->poll, on_poll_closed);
  }
  close_fd(descriptor, was_watched && !descriptor->is_ending);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct descriptor *descriptor = data;
  (void)hook;
  descriptor->is_ending = true;
  end(descriptor);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  end(data);
  release(data);
}

napi_value descriptor_create(napi_env env, int fd, enum descriptor_kind kind, bool has_vnet_header) {
  struct descriptor *descriptor = calloc(1, sizeof *descriptor);
  if (descriptor == NULL) {
    close(fd);
    return throw_errno(env, ENOMEM, "calloc");
  }
  descriptor->env = env;
  descriptor->fd = fd;
  descriptor->kind = kind;
  descriptor->has_vnet_header = has_vnet_header;
  descriptor->owners = 1;
  descriptor->fast = fast_path_hold(env);

  // An external cannot be made or changed by JavaScript, and unlike a wrapped object with a type tag it costs nothing
  // to look into on the data path.
  napi_value external;
  if (napi_create_external(env, descriptor, on_collected, NULL, &external) != napi_ok) {
    close(fd);
    release(descriptor);
    return throw_napi_failure(env);
  }
  return external;
}

bool take_descriptor(napi_env env, napi_value value, struct descriptor **result) {
  if (napi_get_value_external(env, value, (void **)result) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "expected a descriptor");
  return false;
}

void descriptor_ready(struct descriptor *descriptor, int status) {
  struct interlude *interlude = descriptor->interlude;
  bool is_first = interlude_begin(interlude);
  turn_enter(descriptor->fast);
  if (descriptor->room > 0) device_ready(descriptor, status);
  else if (descriptor->tunnel != NULL && status >= 0) tunnel_ready(descriptor, status);
  else tell_last(descriptor, status, 0);
  turn_leave(descriptor);
  if (is_first) interlude_end(interlude);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct descriptor *descriptor = poll->data;
  linger_note(descriptor->linger);
  if (status < 0) {
    // libuv has stopped polling. A socket's error is taken by asking for it, and then the socket goes on; a TAP's
    // error is that it was deleted, for good.
    int error = EBADFD;
    socklen_t size = sizeof error;
    if (descriptor->kind != KIND_TAP && getsockopt(descriptor->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
      int restarted = descriptor_poll(descriptor);
      if (restarted < 0) error = -restarted;
    }
    status = -error;
  }
  descriptor_ready(descriptor, status < 0 ? status : events);
}

// watch(descriptor, onReady(status)): status is -errno, or what it is ready for: 1 to be read, 2 to be written.
napi_value descriptor_watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  uv_loop_t *loop;
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor)) return NULL;
  if (descriptor->fd < 0 || descriptor->is_watched) return throw_errno(env, EBADF, "watch");
  CHECK_NAPI(env, napi_get_uv_event_loop(env, &loop));
  CHECK_NAPI(env, napi_create_reference(env, arguments[1], 1, &descriptor->on_ready));

  int status = uv_poll_init(loop, &descriptor->poll, descriptor->fd);
  if (status < 0) {
    forget(env, &descriptor->on_ready);
    return throw_errno(env, -status, "uv_poll_init");
  }
  descriptor->poll.data = descriptor;
  descriptor->linger = instance_of(env)->linger;
  descriptor->awaited = UV_READABLE;
  descriptor->is_watched = true;
  descriptor->owners++;
  if (napi_add_async_cleanup_hook(env, on_environment_end, descriptor, &descriptor->cleanup) != napi_ok) {
    descriptor->cleanup = NULL;
    end(descriptor);
    return throw_napi_failure(env);
  }
  status = descriptor_poll(descriptor);
  if (status < 0) {
    end(descriptor);
    return throw_errno(env, -status, "uv_poll_start");
  }
  interlude_join(descriptor);
  return NULL;
}

int descriptor_poll(struct descriptor *descriptor) {
  if (!descriptor->is_watched) return 0;
  int events = descriptor->awaited;
  if (descriptor->waits_for != NULL) events &= ~UV_READABLE;
  if (descriptor->tunnel != NULL && descriptor->tunnel->rest != NULL) events |= UV_WRITABLE;
  return events != 0 ? uv_poll_start(&descriptor->poll, events, on_poll) : uv_poll_stop(&descriptor->poll);
}

static napi_value set_awaited(napi_env env, struct descriptor *descriptor, int awaited) {
  descriptor->awaited = awaited;
  int status = descriptor_poll(descriptor);
  return status < 0 ? throw_errno(env, -status, "uv_poll_start") : NULL;
}

static napi_value set_polling(napi_env env, napi_callback_info info, bool is_on) {
  napi_value argument;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &descriptor)) return NULL;
  return set_awaited(env, descriptor, is_on ? UV_READABLE : 0);
}

napi_value descriptor_pause(napi_env env, napi_callback_info info) { return set_polling(env, info, false); }

napi_value descriptor_resume(napi_env env, napi_callback_info info) { return set_polling(env, info, true); }

// await(descriptor, events): what is to wake us up, 1 to read or 2 to write, or'ed; 0 for nothing.
napi_value descriptor_await(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct descriptor *descriptor;
  int32_t events;
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor) ||
      !take_int32(env, arguments[1], &events)) {
    return NULL;
  }
  return set_awaited(env, descriptor, events & (UV_READABLE | UV_WRITABLE));
}

// close(descriptor, onClosed()) returns whether onClosed will be called: not when nothing was left in the loop.
napi_value descriptor_close(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  struct descriptor *descriptor;
  if (!take_arguments(env, info, arguments, 2) || !take_descriptor(env, arguments[0], &descriptor)) return NULL;
  // Once it was watched the loop has something to finish, and only then is there a hook that waits for that.
  bool will_call = descriptor->is_watched;
  CHECK_NAPI(env, napi_get_boolean(env, will_call, &result));
  if (will_call) CHECK_NAPI(env, napi_create_reference(env, arguments[1], 1, &descriptor->on_closed));
  end(descriptor);
  return result;
}
