// Calls into JavaScript from the event loop.
//
// Callbacks between turn_enter and turn_leave do not drain nextTick and microtasks; turn_leave does, so deferred
// JavaScript never sees a half-processed batch.
#ifndef ETHERWS_CALLS_H
#define ETHERWS_CALLS_H

#include <stddef.h>

#include "environment.h"

void turn_enter(struct host *host);
void turn_leave(struct host *host);

// Calls a function. An exception of it is an uncaught exception. Returns its result, or NULL.
napi_value call_javascript(struct host *host, napi_ref function, size_t count, const napi_value *arguments);

// Calls a function with two numbers, and ignores its result.
void tell_javascript(struct host *host, napi_ref function, int first, int second);

// The same, as the last call of a turn: nextTick and microtasks are drained right after it.
void tell_last(struct host *host, napi_ref function, int first, int second);

#endif
