// Polls watched descriptors of frames inside a long loop iteration.
//
// libuv asks once an iteration what is ready, and then the iteration takes as long as all that it found: when clients
// connect by the hundred, frames would wait for every one of them. So what accepts clients runs this between two.
//
// 1. nested_poll_join: a watched descriptor also stands in an epoll instance of ours, as long as it is watched.
// 2. nested_poll_run asks that one what can be read, and does what the loop would have done. It asks once and takes each
//    descriptor once, so a flood of frames does not keep clients out.
// 3. Errors and hang-ups, and room to write, are left to the loop: they are not urgent.
#ifndef ETHERWS_NESTED_POLL_H
#define ETHERWS_NESTED_POLL_H

#include <stdbool.h>

struct nested_poll;

// Returns NULL with errno.
struct nested_poll *nested_poll_new(void);
void nested_poll_free(struct nested_poll *nested);

// Frames are being handled: returns false where that is under way already; else nested_poll_end is to follow.
bool nested_poll_begin(struct nested_poll *nested);
void nested_poll_end(struct nested_poll *nested);

// `data` is what nested_poll_run names it by; it stays valid until the loop goes on, behind nested_poll_leave, too.
void nested_poll_join(struct nested_poll *nested, int fd, void *data);
// Before the file descriptor is closed.
void nested_poll_leave(struct nested_poll *nested, int fd);

// Names what can be read. Does nothing from inside of what frames have caused, nor a fifth of a millisecond after frames
// were handled.
void nested_poll_run(struct nested_poll *nested, void (*on_readable)(void *data));

#endif
