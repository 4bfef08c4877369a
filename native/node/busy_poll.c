// Waits awake for an answer, a moment only, before the loop goes to sleep.
//
// Frames come as questions and answers. Whoever has just been woken from a sleep by one is likely to see the other in
// less time than it takes to fall asleep and to be woken again, on a machine whose idle processors halt above all
// (Linux does the same in its drivers: net.core.busy_poll).
//
// 1. linger_note: a descriptor has become ready, behind a sleep that was long: not amid a bulk transfer, where every
//    turn of the loop finds work, and where waiting awake would take the processor from whoever makes that work.
// 2. on_prepare, before the next sleep: looks whether anything is ready, again and again, and lets other threads go
//    first each time. Once for each note; then the loop sleeps as it always did.
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#include "addon.h"

enum {
  // A sleep from here on is a pause in the traffic.
  PAUSE_NS = 500 * 1000,
  // Within this time both hosts' programs and tunnels have answered over a short cable.
  LINGER_NS = 200 * 1000,
};

struct lingering {
  uv_prepare_t prepare;
  napi_async_cleanup_hook_handle cleanup;
  uint64_t asleep_since;  // 0 once somebody has noted how long that was
  bool is_due;
};

static void on_prepare(uv_prepare_t *prepare) {
  struct lingering *linger = prepare->data;
  if (linger->is_due) {
    linger->is_due = false;
    struct pollfd loop = {.fd = uv_backend_fd(prepare->loop), .events = POLLIN};
    uint64_t until = uv_hrtime() + LINGER_NS;
    while (uv_backend_timeout(prepare->loop) != 0 && poll(&loop, 1, 0) == 0 && uv_hrtime() < until) sched_yield();
  }
  linger->asleep_since = uv_hrtime();
}

void linger_note(struct lingering *linger) {
  if (linger == NULL || linger->asleep_since == 0) return;
  linger->is_due = uv_hrtime() - linger->asleep_since >= PAUSE_NS;
  linger->asleep_since = 0;
}

static void on_closed(uv_handle_t *handle) {
  struct lingering *linger = handle->data;
  napi_remove_async_cleanup_hook(linger->cleanup);
  free(linger);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  struct lingering *linger = data;
  uv_close((uv_handle_t *)&linger->prepare, on_closed);
}

napi_value init_linger(napi_env env, napi_value exports) {
  uv_loop_t *loop;
  CHECK_NAPI(env, napi_get_uv_event_loop(env, &loop));
  struct lingering *linger = calloc(1, sizeof *linger);
  if (linger == NULL) return throw_errno(env, ENOMEM, "calloc");
  uv_prepare_init(loop, &linger->prepare);
  linger->prepare.data = linger;
  uv_prepare_start(&linger->prepare, on_prepare);
  uv_unref((uv_handle_t *)&linger->prepare);
  if (napi_add_async_cleanup_hook(env, on_environment_end, linger, &linger->cleanup) != napi_ok) {
    return throw_napi_failure(env);
  }
  instance_of(env)->linger = linger;
  return exports;
}
