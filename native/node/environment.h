// The state of one JavaScript environment (the main thread, or a worker), which is freed when that ends. The only other
// mutable state is thread-local (datapath/tally.c), or a library that is loaded once (crypto/ipsec_mb.c), so worker
// threads need no locks.
#ifndef ETHERWS_ENVIRONMENT_H
#define ETHERWS_ENVIRONMENT_H

#include <node_api.h>
#include <stdbool.h>
#include <uv.h>

// Node as the host of the data path.
struct host {
  napi_env env;
  uv_loop_t *loop;
  struct datapath *datapath;
  struct busy_poll *busy_poll;
  struct nested_poll *nested_poll;
  struct timer *timer;      // the datapath's; NULL once the environment ends
  struct lookups *lookups;  // look-ups of names; NULL before the first
  bool is_openssl_wanted;   // for AES-GCM, even if a faster library is loaded
  // Calls into JavaScript: calls.h.
  bool is_in_turn;
  bool has_called;
  napi_ref nothing;  // a function that does nothing
};

struct host *host_of(napi_env env);

napi_value init_environment(napi_env env, napi_value exports);

#endif
