#include "busy_poll.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#include "environment.h"
#include "errors.h"

enum {
  // A sleep of at least 500 µs is a pause in the traffic.
  PAUSE_NS = 500 * 1000,
  // The longest busy poll: within 200 µs a reply comes over a local network, through the programs and tunnels of both
  // hosts.
  BUSY_POLL_NS = 200 * 1000,
};

struct busy_poll {
  uv_prepare_t prepare;
  napi_async_cleanup_hook_handle cleanup;
  uint64_t asleep_since;  // 0: the length of the last sleep is known
  bool is_due;
};

static void on_prepare(uv_prepare_t *prepare) {
  struct busy_poll *busy = prepare->data;
  if (busy->is_due) {
    busy->is_due = false;
    struct pollfd loop = {.fd = uv_backend_fd(prepare->loop), .events = POLLIN};
    uint64_t until = uv_hrtime() + BUSY_POLL_NS;
    while (uv_backend_timeout(prepare->loop) != 0 && poll(&loop, 1, 0) == 0 && uv_hrtime() < until) sched_yield();
  }
  busy->asleep_since = uv_hrtime();
}

void busy_poll_note(struct busy_poll *busy) {
  if (busy == NULL || busy->asleep_since == 0) return;
  busy->is_due = uv_hrtime() - busy->asleep_since >= PAUSE_NS;
  busy->asleep_since = 0;
}

static void on_closed(uv_handle_t *handle) {
  struct busy_poll *busy = handle->data;
  napi_remove_async_cleanup_hook(busy->cleanup);
  free(busy);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  struct busy_poll *busy = data;
  uv_close((uv_handle_t *)&busy->prepare, on_closed);
}

napi_value init_busy_poll(napi_env env, napi_value exports) {
  uv_loop_t *loop;
  CHECK_NAPI(env, napi_get_uv_event_loop(env, &loop));
  struct busy_poll *busy = calloc(1, sizeof *busy);
  if (busy == NULL) return throw_errno(env, ENOMEM, "calloc");
  uv_prepare_init(loop, &busy->prepare);
  busy->prepare.data = busy;
  uv_prepare_start(&busy->prepare, on_prepare);
  uv_unref((uv_handle_t *)&busy->prepare);
  if (napi_add_async_cleanup_hook(env, on_environment_end, busy, &busy->cleanup) != napi_ok) {
    return throw_napi_failure(env);
  }
  host_of(env)->busy_poll = busy;
  return exports;
}
