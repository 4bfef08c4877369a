// What belongs to one environment, and goes with it.
#include <errno.h>
#include <stdlib.h>

#include "../datapath/fast_path.h"
#include "addon.h"

static void on_end(napi_env env, void *data, void *hint) {
  struct instance *instance = data;
  (void)env;
  (void)hint;
  interlude_free(instance->interlude);
  fast_path_release(instance->fast_path);
  free(instance);
}

napi_value init_instance(napi_env env, napi_value exports) {
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return throw_errno(env, ENOMEM, "calloc");
  if (napi_set_instance_data(env, instance, on_end, NULL) != napi_ok) {
    free(instance);
    return throw_napi_failure(env);
  }
  return exports;
}

struct instance *instance_of(napi_env env) {
  void *instance = NULL;
  return napi_get_instance_data(env, &instance) == napi_ok ? instance : NULL;
}
