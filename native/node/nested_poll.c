// Frames in between: lets those that wait go while the loop is busy with something long.
//
// libuv asks once a turn what is ready, and then a turn takes as long as all that it found: when strangers knock by the
// hundred, frames would wait for every one of them. So whoever serves strangers calls pollNow between two.
//
// 1. interlude_join: a watched descriptor of frames also stands in an epoll instance of ours, as long as it is watched.
// 2. pollNow asks that one who can be read, and does what the loop would have done. It asks once and takes each
//    descriptor once, so a flood of frames does not shut the door.
// 3. Errors and hang-ups, and room to write, are left to the loop: they are not urgent.
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "addon.h"

enum {
  // Frames may wait that long: who calls more often gets an answer for the price of looking at the clock.
  PAUSE_NS = 200 * 1000,
  AT_ONCE = 64,
};

struct interlude {
  int epoll;
  bool is_busy;  // frames are being served, by the loop or by us
  uint64_t served_at;
};

bool interlude_begin(struct interlude *interlude) {
  if (interlude == NULL || interlude->is_busy) return false;
  interlude->is_busy = true;
  return true;
}

void interlude_end(struct interlude *interlude) {
  interlude->is_busy = false;
  interlude->served_at = uv_hrtime();
}

void interlude_join(struct descriptor *descriptor) {
  struct interlude *interlude = instance_of(descriptor->env)->interlude;
  if (descriptor->kind == KIND_LINK_EVENTS) return;
  descriptor->interlude = interlude;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = descriptor};
  epoll_ctl(interlude->epoll, EPOLL_CTL_ADD, descriptor->fd, &event);
}

void interlude_leave(struct descriptor *descriptor) {
  if (descriptor->interlude == NULL) return;
  epoll_ctl(descriptor->interlude->epoll, EPOLL_CTL_DEL, descriptor->fd, NULL);
  descriptor->interlude = NULL;
}

// pollNow(): not from inside of what frames have caused; there it does nothing.
napi_value serve_frames(napi_env env, napi_callback_info info) {
  struct interlude *interlude = instance_of(env)->interlude;
  struct epoll_event events[AT_ONCE];
  (void)info;
  if (interlude->is_busy || uv_hrtime() - interlude->served_at < PAUSE_NS) return NULL;
  int count = epoll_wait(interlude->epoll, events, AT_ONCE, 0);
  for (int i = 0; i < count; i++) {
    // One before it may have ended or paused it. Its memory is there as long as the loop has its poll handle, and the loop
    // closes nothing in here.
    struct descriptor *descriptor = events[i].data.ptr;
    bool is_wanted =
        descriptor->is_watched && (descriptor->awaited & UV_READABLE) != 0 && descriptor->waits_for == NULL;
    if (is_wanted && (events[i].events & (EPOLLERR | EPOLLHUP)) == 0) descriptor_ready(descriptor, UV_READABLE);
  }
  interlude->served_at = uv_hrtime();
  return NULL;
}

void interlude_free(struct interlude *interlude) {
  if (interlude == NULL) return;
  close(interlude->epoll);
  free(interlude);
}

napi_value init_interlude(napi_env env, napi_value exports) {
  static const struct export functions[] = {{"pollNow", serve_frames}};
  struct interlude *interlude = calloc(1, sizeof *interlude);
  if (interlude == NULL) return throw_errno(env, ENOMEM, "calloc");
  instance_of(env)->interlude = interlude;
  interlude->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (interlude->epoll < 0) return throw_errno(env, errno, "epoll_create1");
  return add_exports(env, exports, functions, 1);
}
