// Polls descriptors that carry frames in the middle of a long iteration of the loop.
//
// libuv polls once in an iteration, and handles everything that is ready before it polls again. When hundreds of
// clients connect at once, frames would wait for all of them. So the code that accepts clients calls this poll between
// two of them.
//
// 1. nested_poll_join: a watched descriptor is also in an epoll instance of ours, until it is closed.
// 2. nested_poll_run polls that instance once, and handles each readable descriptor once, as the loop would. So a flood
//    of frames does not keep clients out.
// 3. Errors, hang-ups and room to write are left to the loop, because they are not urgent.
#ifndef ETHERWS_NESTED_POLL_H
#define ETHERWS_NESTED_POLL_H

#include <stdbool.h>

struct nested_poll;

// Returns NULL with errno.
struct nested_poll *nested_poll_new(void);
void nested_poll_free(struct nested_poll *nested);

// Marks that frames are being handled. Returns false when they already are; else the caller has to call
// nested_poll_end.
bool nested_poll_begin(struct nested_poll *nested);
void nested_poll_end(struct nested_poll *nested);

// `data` is passed to on_readable. It has to stay valid until the end of the iteration, even after nested_poll_leave.
void nested_poll_join(struct nested_poll *nested, int fd, void *data);
// To be called before the file descriptor is closed.
void nested_poll_leave(struct nested_poll *nested, int fd);

// Calls on_readable for each readable descriptor. Does nothing while frames are being handled, and in the 200 µs after
// that.
void nested_poll_run(struct nested_poll *nested, void (*on_readable)(void *data));

#endif
