// The user whose process is the other end of a connection within this host, and the groups of a user.
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../node/values.h"
#include "system.h"

enum { UNKNOWN_USER = -1, LOOPBACK_INDEX = 1, ACCOUNT_BYTES = 16384, MOST_GROUPS = 65536 };

// A TCP connection from one of its ends, as sock_diag(7) names it: addresses in network order, IPv4 in the first word.
struct end_pair {
  uint8_t family;
  struct inet_diag_sockid id;
};

struct diag_request {
  struct nlmsghdr header;
  struct inet_diag_req_v2 body;
};

// A listener for both families has IPv4-mapped addresses, but the socket at the other end may be an IPv4 one. So mapped
// addresses become IPv4.
static bool take_end(const struct sockaddr_storage *address, uint8_t *family, __be32 words[4], __be16 *port) {
  memset(words, 0, 4 * sizeof *words);
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *end = (const struct sockaddr_in *)address;
    *family = AF_INET;
    words[0] = end->sin_addr.s_addr;
    *port = end->sin_port;
    return true;
  }
  if (address->ss_family != AF_INET6) return false;
  const struct sockaddr_in6 *end = (const struct sockaddr_in6 *)address;
  *port = end->sin6_port;
  *family = IN6_IS_ADDR_V4MAPPED(&end->sin6_addr) ? AF_INET : AF_INET6;
  if (*family == AF_INET) memcpy(words, end->sin6_addr.s6_addr + 12, sizeof *words);
  else memcpy(words, end->sin6_addr.s6_addr, 4 * sizeof *words);
  return true;
}

// Finds the connection of `fd` as its other end names it. Returns 0 or -errno.
static int read_far_end(int fd, struct end_pair *far) {
  struct sockaddr_storage near_address = {0}, far_address = {0};
  socklen_t near_bytes = sizeof near_address, far_bytes = sizeof far_address;
  uint8_t near_family;
  memset(far, 0, sizeof *far);
  if (getsockname(fd, (struct sockaddr *)&near_address, &near_bytes) < 0) return -errno;
  if (getpeername(fd, (struct sockaddr *)&far_address, &far_bytes) < 0) return -errno;
  if (!take_end(&far_address, &far->family, far->id.idiag_src, &far->id.idiag_sport) ||
      !take_end(&near_address, &near_family, far->id.idiag_dst, &far->id.idiag_dport) || near_family != far->family) {
    return -EAFNOSUPPORT;
  }
  far->id.idiag_cookie[0] = far->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return 0;
}

static struct end_pair turned(const struct end_pair *far) {
  struct end_pair near = *far;
  memcpy(near.id.idiag_src, far->id.idiag_dst, sizeof near.id.idiag_src);
  memcpy(near.id.idiag_dst, far->id.idiag_src, sizeof near.id.idiag_dst);
  near.id.idiag_sport = far->id.idiag_dport;
  near.id.idiag_dport = far->id.idiag_sport;
  return near;
}

static bool is_same_end(const struct inet_diag_msg *found, const struct end_pair *wanted) {
  return found->id.idiag_sport == wanted->id.idiag_sport && found->id.idiag_dport == wanted->id.idiag_dport;
}

// Looks for one socket of this network namespace. Returns 1 when it exists, 0 when it does not, or -errno.
static int find_socket(int diag, const struct end_pair *wanted, uint32_t interface, struct inet_diag_msg *found) {
  struct diag_request request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
      .body = {.sdiag_family = wanted->family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u, .id = wanted->id},
  };
  request.body.id.idiag_if = interface;
  if (send(diag, &request, sizeof request, 0) < 0) return -errno;
  _Alignas(struct nlmsghdr) char bytes[2048];
  // The kernel has answered before send(2) returns.
  ssize_t length = recv(diag, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length < 0) return -errno;
  const struct nlmsghdr *answer = (const struct nlmsghdr *)bytes;
  if (!NLMSG_OK(answer, (size_t)length)) return -EBADMSG;
  if (answer->nlmsg_type == NLMSG_ERROR) {
    if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return -EBADMSG;
    int error = ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
    return error == -ENOENT ? 0 : error;
  }
  if (answer->nlmsg_len < NLMSG_LENGTH(sizeof *found)) return -EBADMSG;
  memcpy(found, NLMSG_DATA(answer), sizeof *found);
  // If no connection matches, the kernel answers with a listener.
  return is_same_end(found, wanted);
}

static bool is_connected(uint8_t state) {
  return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2;
}

// Whether our end is still connected. As long as it is, no other connection can have the same addresses and ports.
static bool stands(int fd) {
  struct tcp_info info;
  socklen_t bytes = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0) return false;
  return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT;
}

// Of a socket that its process has closed the kernel gives 0 as the user, and 0 as the inode.
static int64_t user_of(const struct inet_diag_msg *found) {
  return found->idiag_inode != 0 && is_connected(found->idiag_state) ? (int64_t)found->idiag_uid : UNKNOWN_USER;
}

static int look_up(int diag, int fd, int64_t *uid) {
  struct end_pair far;
  struct inet_diag_msg found = {0};
  *uid = UNKNOWN_USER;
  int status = read_far_end(fd, &far);
  // The connection is closed already.
  if (status == -ENOTCONN || status == -EINVAL) return 0;
  if (status < 0) return status;
  status = find_socket(diag, &far, 0, &found);
  // A socket that is bound to the loopback device is only found by a request that names it.
  if (status == 0) status = find_socket(diag, &far, LOOPBACK_INDEX, &found);
  if (status < 0) return status;
  if (status == 0) {
    struct end_pair near = turned(&far);
    // Our own end exists. If it is not found either, this kernel has no sock_diag for TCP: it answers ENOENT for that
    // as well.
    if (stands(fd) && find_socket(diag, &near, 0, &found) == 0 && stands(fd)) return -EPROTONOSUPPORT;
    return 0;
  }
  int64_t user = user_of(&found);
  if (stands(fd)) *uid = user;
  return 0;
}

static int peer_of_unix_socket(int fd, int64_t *uid) {
  struct ucred credentials;
  socklen_t bytes = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) < 0) return -errno;
  *uid = credentials.uid;
  return 0;
}

// readPeerUser(fd) returns the uid of the other end of a TCP connection within this network namespace, or of a Unix
// socket; -1 when it can no longer be found out.
napi_value read_peer_user(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  int32_t fd;
  int domain = 0;
  socklen_t bytes = sizeof domain;
  if (!take_arguments(env, info, &argument, 1) || !take_int32(env, argument, &fd)) return NULL;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) < 0) return throw_errno(env, errno, "getsockopt");
  int64_t uid = UNKNOWN_USER;
  int status;
  if (domain == AF_UNIX) {
    status = peer_of_unix_socket(fd, &uid);
  } else {
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0) return throw_errno(env, errno, "socket");
    status = look_up(diag, fd, &uid);
    close(diag);
  }
  if (status < 0) return throw_errno(env, -status, "sock_diag");
  CHECK_NAPI(env, napi_create_int64(env, uid, &result));
  return result;
}

// lookUpGroup(name) returns its gid. Throws ENOENT for an unknown name.
napi_value look_up_group(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  char name[256];
  if (!take_arguments(env, info, &argument, 1) || !take_string(env, argument, name, sizeof name)) return NULL;
  const struct group *found = getgrnam(name);
  if (found == NULL) return throw_errno(env, ENOENT, "getgrnam");
  CHECK_NAPI(env, napi_create_uint32(env, found->gr_gid, &result));
  return result;
}

struct account_query {
  napi_async_work work;
  napi_deferred deferred;
  uid_t uid;
  char name[256];  // empty: unknown uid
  gid_t *groups;
  int group_count;
};

// Runs in a thread of libuv's pool, because the user database may be on another host.
static void query_account(napi_env env, void *data) {
  (void)env;
  struct account_query *query = data;
  char bytes[ACCOUNT_BYTES];
  struct passwd account, *found = NULL;
  if (getpwuid_r(query->uid, &account, bytes, sizeof bytes, &found) != 0 || found == NULL) return;
  const size_t name_bytes = strlen(account.pw_name) + 1;
  if (name_bytes > sizeof query->name) return;
  memcpy(query->name, account.pw_name, name_bytes);
  for (int room = 64; room <= MOST_GROUPS; room *= 4) {
    gid_t *groups = realloc(query->groups, (size_t)room * sizeof *groups);
    if (groups == NULL) return;
    query->groups = groups;
    int count = room;
    if (getgrouplist(account.pw_name, account.pw_gid, groups, &count) < 0) continue;
    query->group_count = count;
    return;
  }
}

static napi_value account_of(napi_env env, const struct account_query *query) {
  napi_value account, groups, gid;
  CHECK_NAPI(env, napi_create_object(env, &account));
  CHECK_NAPI(env, napi_create_array_with_length(env, (size_t)query->group_count, &groups));
  for (int i = 0; i < query->group_count; i++) {
    CHECK_NAPI(env, napi_create_uint32(env, query->groups[i], &gid));
    CHECK_NAPI(env, napi_set_element(env, groups, (uint32_t)i, gid));
  }
  if (!set_string(env, account, "name", query->name)) return NULL;
  CHECK_NAPI(env, napi_set_named_property(env, account, "groups", groups));
  return account;
}

static void tell_account(napi_env env, napi_status status, void *data) {
  struct account_query *query = data;
  if (status == napi_ok) {
    napi_value account = account_of(env, query);
    if (account != NULL) napi_resolve_deferred(env, query->deferred, account);
  }
  napi_delete_async_work(env, query->work);
  free(query->groups);
  free(query);
}

// describeUser(uid) resolves to {name, groups}: the name of the user, and the gids of its groups. Both are empty for an
// unknown uid.
napi_value describe_user(napi_env env, napi_callback_info info) {
  napi_value argument, promise, name;
  uint32_t uid;
  if (!take_arguments(env, info, &argument, 1)) return NULL;
  CHECK_NAPI(env, napi_get_value_uint32(env, argument, &uid));
  CHECK_NAPI(env, napi_create_string_utf8(env, "etherws:describeUser", NAPI_AUTO_LENGTH, &name));
  struct account_query *query = calloc(1, sizeof *query);
  if (query == NULL) return throw_errno(env, ENOMEM, "calloc");
  query->uid = uid;
  if (napi_create_promise(env, &query->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, NULL, name, query_account, tell_account, query, &query->work) != napi_ok ||
      napi_queue_async_work(env, query->work) != napi_ok) {
    free(query);
    return throw_napi_failure(env);
  }
  return promise;
}
