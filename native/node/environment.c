#include "environment.h"

#include <errno.h>
#include <stdlib.h>

#include "../datapath/datapath.h"
#include "errors.h"
#include "nested_poll.h"

static void on_end(napi_env env, void *data, void *hint) {
  struct host *host = data;
  (void)env;
  (void)hint;
  nested_poll_free(host->nested_poll);
  if (host->datapath != NULL) datapath_leave(host->datapath);
  free(host);
}

static napi_value do_nothing(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

napi_value init_environment(napi_env env, napi_value exports) {
  napi_value nothing;
  struct host *host = calloc(1, sizeof *host);
  if (host == NULL) return throw_errno(env, ENOMEM, "calloc");
  if (napi_set_instance_data(env, host, on_end, NULL) != napi_ok) {
    free(host);
    return throw_napi_failure(env);
  }
  host->env = env;
  host->datapath = datapath_new(host);
  host->nested_poll = nested_poll_new();
  if (host->datapath == NULL || host->nested_poll == NULL) return throw_errno(env, errno, "epoll_create1");
  CHECK_NAPI(env, napi_get_uv_event_loop(env, &host->loop));
  CHECK_NAPI(env, napi_create_function(env, "nothing", NAPI_AUTO_LENGTH, do_nothing, NULL, &nothing));
  CHECK_NAPI(env, napi_create_reference(env, nothing, 1, &host->nothing));
  return exports;
}

struct host *host_of(napi_env env) {
  void *host = NULL;
  return napi_get_instance_data(env, &host) == napi_ok ? host : NULL;
}
