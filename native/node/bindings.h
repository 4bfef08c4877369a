// The doors of the addon, as src/native/addon.ts types them. Each adds its functions to the exports, and returns those, or
// NULL with an exception pending.
#ifndef ETHERWS_BINDINGS_H
#define ETHERWS_BINDINGS_H

#include <node_api.h>

napi_value init_devices(napi_env env, napi_value exports);
napi_value init_streams(napi_env env, napi_value exports);
napi_value init_tunnels(napi_env env, napi_value exports);
napi_value init_send(napi_env env, napi_value exports);
napi_value init_flows(napi_env env, napi_value exports);
napi_value init_messages(napi_env env, napi_value exports);
napi_value init_offload(napi_env env, napi_value exports);
// Adds none where Node has no ciphers for it.
napi_value init_tls(napi_env env, napi_value exports);

#endif
