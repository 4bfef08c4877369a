// Polls awake for an answer, a moment only, before the loop goes to sleep.
//
// Frames come as questions and answers. Where one has just ended a sleep, the next is likely to come in less time than
// falling asleep and being woken take, on a machine whose idle processors halt above all (Linux does the same in its
// drivers: net.core.busy_poll).
//
// 1. busy_poll_note: a descriptor has become ready, behind a sleep that was long: not amid a bulk transfer, where every
//    iteration of the loop finds work, and where polling would take the processor from what makes that work.
// 2. Before the next sleep it asks whether anything is ready, again and again, and lets other threads go first each time.
//    Once for each note; then the loop sleeps as it always did.
#ifndef ETHERWS_BUSY_POLL_H
#define ETHERWS_BUSY_POLL_H

#include <node_api.h>

struct busy_poll;

void busy_poll_note(struct busy_poll *busy);
napi_value init_busy_poll(napi_env env, napi_value exports);

#endif
