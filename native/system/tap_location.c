// The network namespace of a TAP device, and its name there.
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../node/handle.h"
#include "../node/values.h"
#include "netlink.h"
#include "netns.h"
#include "system.h"

enum { NO_NETNS_ID = -1 };

static bool take_id(const struct nlmsghdr *answer, void *context) {
  int32_t *id = context;
  if (answer->nlmsg_type != RTM_NEWNSID) return true;
  int length = (int)NLMSG_PAYLOAD(answer, sizeof(struct rtgenmsg));
  const struct rtattr *attribute =
      (const struct rtattr *)((const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(sizeof(struct rtgenmsg)));
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) {
    if (attribute->rta_type == NETNSA_NSID) memcpy(id, RTA_DATA(attribute), sizeof *id);
  }
  return true;
}

static int ask_for_id(int netns_fd, int type, int32_t *id) {
  struct route_request request;
  uint32_t fd = (uint32_t)netns_fd;
  route_begin(&request, type, type == RTM_NEWNSID ? NLM_F_ACK : 0, sizeof request.body.general);
  route_attribute(&request, NETNSA_FD, &fd, sizeof fd);
  if (type == RTM_NEWNSID) route_attribute(&request, NETNSA_NSID, id, sizeof *id);
  return route_exchange(&request, type == RTM_NEWNSID ? NULL : take_id, id);
}

// Finds the id by which our namespace knows another one; if it has none, the kernel assigns one. Returns 0 or -errno.
static int find_id(int netns_fd, int32_t *id) {
  *id = NO_NETNS_ID;
  int status = ask_for_id(netns_fd, RTM_GETNSID, id);
  if (status < 0 || *id != NO_NETNS_ID) return status;
  status = ask_for_id(netns_fd, RTM_NEWNSID, id);
  if (status < 0 && status != -EEXIST) return status;
  return ask_for_id(netns_fd, RTM_GETNSID, id);
}

static bool is_own(const struct stat *other) {
  struct stat own;
  return stat("/proc/thread-self/ns/net", &own) == 0 && own.st_ino == other->st_ino && own.st_dev == other->st_dev;
}

// Finds the namespace of a TAP device. Returns 0 or -errno. The inode stays 0 if the kernel does not tell: before Linux
// 5.0, and without CAP_NET_ADMIN.
static int find_netns(int tap_fd, int32_t *id, struct stat *inode) {
  int fd = netns_of_tap(tap_fd);
  if (fd == -EPERM || fd == -ENOTTY || fd == -EINVAL) return 0;
  if (fd < 0) return fd;
  int status = fstat(fd, inode) < 0 ? -errno : 0;
  if (status == 0 && !is_own(inode)) status = find_id(fd, id);
  close(fd);
  return status;
}

// locateTap(descriptor) returns {name, netnsId, netnsInode}: the present name of the device, and its namespace; netnsId
// -1: ours. Throws EBADFD after the device was deleted.
napi_value locate_tap(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct descriptor *tap;
  struct ifreq request = {0};
  struct stat inode = {0};
  int32_t id = NO_NETNS_ID;
  if (!take_arguments(env, info, &argument, 1) || !take_descriptor(env, argument, &tap)) return NULL;
  if (tap->fd < 0) return throw_errno(env, EBADF, "locateTap");
  if (ioctl(tap->fd, TUNGETIFF, &request) < 0) return throw_errno(env, errno, "ioctl(TUNGETIFF)");
  int status = find_netns(tap->fd, &id, &inode);
  if (status < 0) return throw_errno(env, -status, "rtnetlink(RTM_GETNSID)");
  CHECK_NAPI(env, napi_create_object(env, &result));
  if (!set_string(env, result, "name", request.ifr_name) || !set_number(env, result, "netnsId", id) ||
      !set_number(env, result, "netnsInode", (double)inode.st_ino)) {
    return NULL;
  }
  return result;
}
