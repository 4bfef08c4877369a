// Descriptors of streams and tunnels as arguments. Each returns false with an exception pending.
#ifndef ETHERWS_STREAM_VALUES_H
#define ETHERWS_STREAM_VALUES_H

#include <node_api.h>

#include "../datapath/stream.h"

bool take_stream(napi_env env, napi_value value, struct stream **result);

// Takes the stream of an open tunnel. `door`: the name of the called function, for the exception.
bool take_tunnel(napi_env env, napi_value value, const char *door, struct stream **result);

#endif
