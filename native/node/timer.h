// The datapath's timer (host_start_timer), in libuv's loop. It does not keep the process alive.
#ifndef ETHERWS_TIMER_H
#define ETHERWS_TIMER_H

#include <node_api.h>

napi_value init_timer(napi_env env, napi_value exports);

#endif
