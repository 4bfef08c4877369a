// Busy polling: if a frame is likely to come soon, polls for up to 200 µs before the loop sleeps.
//
// Many frames are requests and replies. After a frame that ended a sleep, the next one often comes sooner than a thread
// falls asleep and wakes up, above all on machines whose idle processors halt. Linux does the same in its drivers
// (net.core.busy_poll).
//
// 1. busy_poll_note: a descriptor is ready. Busy polling is due if the sleep before that took at least 500 µs. During a
//    bulk transfer each iteration of the loop finds work, and busy polling would take processor time from the senders.
// 2. Before the next sleep the loop polls until a descriptor is ready, and lets other threads run before each poll.
//    This happens once for each note.
#ifndef ETHERWS_BUSY_POLL_H
#define ETHERWS_BUSY_POLL_H

#include <node_api.h>

struct busy_poll;

void busy_poll_note(struct busy_poll *busy);
napi_value init_busy_poll(napi_env env, napi_value exports);

#endif
