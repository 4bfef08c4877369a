#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// The headers of older distributions lack it.
#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

int netns_of_tap(int tap_fd) {
  int fd = ioctl(tap_fd, TUNGETDEVNETNS);
  return fd < 0 ? -errno : fd;
}

struct opening {
  int netns_fd;
  int result;
};

static void *open_inside(void *data) {
  struct opening *opening = data;
  // This thread ends in the other namespace, and no other code ever runs there.
  if (setns(opening->netns_fd, CLONE_NEWNET) < 0) {
    opening->result = -errno;
    return NULL;
  }
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  opening->result = fd < 0 ? -errno : fd;
  return NULL;
}

int netns_route_socket(int netns_fd) {
  struct opening opening = {.netns_fd = netns_fd};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, open_inside, &opening);
  if (error != 0) return -error;
  pthread_join(thread, NULL);
  return opening.result;
}
