#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"

enum { ANSWER_BYTES = 32768 };

void route_begin(struct route_request *request, int type, int flags, size_t body_bytes) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_bytes);
  request->header.nlmsg_type = (uint16_t)type;
  request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
}

// The request has room for all attributes that this addon adds. One that does not fit is a programming error, and is
// left out.
void route_attribute(struct route_request *request, int type, const void *value, size_t bytes) {
  size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
  if (at + RTA_SPACE(bytes) > sizeof *request) return;
  struct rtattr *attribute = (struct rtattr *)((char *)request + at);
  attribute->rta_type = (uint16_t)type;
  attribute->rta_len = (uint16_t)RTA_LENGTH(bytes);
  memcpy(RTA_DATA(attribute), value, bytes);
  request->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(bytes));
}

enum progress { MORE, DONE };

// Handles the answers of one datagram. Returns DONE, MORE, or -errno.
static int take_answers(const char *bytes, size_t length, bool is_dump, route_answer *each, void *context) {
  const struct nlmsghdr *answer = (const struct nlmsghdr *)bytes;
  for (; NLMSG_OK(answer, length); answer = NLMSG_NEXT(answer, length)) {
    if (answer->nlmsg_type == NLMSG_DONE) return DONE;
    if (answer->nlmsg_type == NLMSG_ERROR) {
      if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return -EBADMSG;
      int error = ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
      return error == 0 ? DONE : error;
    }
    if (each != NULL && !each(answer, context)) return -ECANCELED;
    if (!is_dump) return DONE;
  }
  return MORE;
}

static int receive_answers(int fd, bool is_dump, route_answer *each, void *context) {
  _Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
  for (;;) {
    ssize_t length = recv(fd, bytes, sizeof bytes, MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -errno;
    if ((size_t)length > sizeof bytes) return -EMSGSIZE;
    int progress = take_answers(bytes, (size_t)length, is_dump, each, context);
    if (progress != MORE) return progress == DONE ? 0 : progress;
  }
}

// Sends the request, handles the answers, and closes the socket.
static int exchange(int fd, struct route_request *request, route_answer *each, void *context) {
  // Has the kernel filter dumps by the interface of the request. A kernel before 4.20 sends all, so answers are checked
  // as well.
  int is_on = 1;
  (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &is_on, sizeof is_on);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t sent = sendto(fd, request, request->header.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel);
  int result = -errno;
  if (sent >= 0) {
    result = receive_answers(fd, (request->header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, each, context);
  }
  close(fd);
  return result;
}

int route_exchange(struct route_request *request, route_answer *each, void *context) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return fd < 0 ? -errno : exchange(fd, request, each, context);
}

int route_exchange_at(int tap_fd, struct route_request *request, route_answer *each, void *context) {
  if (tap_fd < 0) return route_exchange(request, each, context);
  int netns_fd = netns_of_tap(tap_fd);
  if (netns_fd < 0) return netns_fd;
  int fd = netns_route_socket(netns_fd);
  close(netns_fd);
  return fd < 0 ? fd : exchange(fd, request, each, context);
}
