// The exports of the addon, which src/native/addon.ts types. Each function adds those of one file to `exports`, and
// returns it; or NULL with an exception pending.
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
// Adds none if Node does not export the ciphers of its OpenSSL.
napi_value init_tls(napi_env env, napi_value exports);

#endif
