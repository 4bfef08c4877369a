#include "nested_poll.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

enum {
  // The shortest time between two polls, which frames may have to wait. A call within it only reads the clock.
  INTERVAL_NS = 200 * 1000,
  MAX_EVENTS = 64,
};

struct nested_poll {
  int epoll;
  bool is_busy;  // frames are being handled, by the loop or by nested_poll_run
  uint64_t handled_at_ns;
};

struct nested_poll *nested_poll_new(void) {
  struct nested_poll *nested = calloc(1, sizeof *nested);
  if (nested == NULL) return NULL;
  nested->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (nested->epoll >= 0) return nested;
  free(nested);
  return NULL;
}

void nested_poll_free(struct nested_poll *nested) {
  if (nested == NULL) return;
  close(nested->epoll);
  free(nested);
}

bool nested_poll_begin(struct nested_poll *nested) {
  if (nested->is_busy) return false;
  nested->is_busy = true;
  return true;
}

void nested_poll_end(struct nested_poll *nested) {
  nested->is_busy = false;
  nested->handled_at_ns = uv_hrtime();
}

void nested_poll_join(struct nested_poll *nested, int fd, void *data) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
  epoll_ctl(nested->epoll, EPOLL_CTL_ADD, fd, &event);
}

void nested_poll_leave(struct nested_poll *nested, int fd) { epoll_ctl(nested->epoll, EPOLL_CTL_DEL, fd, NULL); }

void nested_poll_run(struct nested_poll *nested, void (*on_readable)(void *data)) {
  struct epoll_event events[MAX_EVENTS];
  if (nested->is_busy || uv_hrtime() - nested->handled_at_ns < INTERVAL_NS) return;
  const int count = epoll_wait(nested->epoll, events, MAX_EVENTS, 0);
  for (int i = 0; i < count; i++) {
    if ((events[i].events & (EPOLLERR | EPOLLHUP)) == 0) on_readable(events[i].data.ptr);
  }
  nested->handled_at_ns = uv_hrtime();
}
