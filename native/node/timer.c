#include "timer.h"

#include <errno.h>
#include <stdlib.h>

#include "../datapath/datapath.h"
#include "environment.h"
#include "errors.h"

struct timer {
  uv_timer_t timer;
  struct host *host;
  napi_async_cleanup_hook_handle cleanup;
};

static void on_timer(uv_timer_t *timer) {
  struct timer *ours = timer->data;
  datapath_timer(ours->host->datapath);
}

uint64_t host_now_ms(struct host *host) { return uv_now(host->loop); }

uint64_t host_now_ns(struct host *host) {
  (void)host;
  return uv_hrtime();
}

void host_start_timer(struct host *host, uint32_t after_ms) {
  if (host->timer != NULL) uv_timer_start(&host->timer->timer, on_timer, after_ms, 0);
}

static void on_closed(uv_handle_t *handle) {
  struct timer *timer = handle->data;
  napi_remove_async_cleanup_hook(timer->cleanup);
  free(timer);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct timer *timer = data;
  (void)hook;
  timer->host->timer = NULL;
  uv_close((uv_handle_t *)&timer->timer, on_closed);
}

napi_value init_timer(napi_env env, napi_value exports) {
  struct host *host = host_of(env);
  struct timer *timer = calloc(1, sizeof *timer);
  if (timer == NULL) return throw_errno(env, ENOMEM, "calloc");
  uv_timer_init(host->loop, &timer->timer);
  timer->timer.data = timer;
  timer->host = host;
  uv_unref((uv_handle_t *)&timer->timer);
  if (napi_add_async_cleanup_hook(env, on_environment_end, timer, &timer->cleanup) != napi_ok) {
    return throw_napi_failure(env);
  }
  host->timer = timer;
  return exports;
}
