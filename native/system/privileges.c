// Changes the process to another user, for good. glibc changes the ids of all threads. Capabilities belong to a thread:
// the other threads lose theirs, and only the calling thread, which opens devices, keeps CAP_NET_ADMIN and CAP_NET_RAW.
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../node/values.h"
#include "system.h"

#define NAME_BYTES 256
#define KEPT ((1u << CAP_NET_ADMIN) | (1u << CAP_NET_RAW))

// Both capabilities are in the first word.
static int keep_network_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capget, &header, words) < 0) return -1;
  uint32_t kept = words[0].permitted & KEPT;
  words[0] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept, .inheritable = 0};
  words[1] = (struct __user_cap_data_struct){0};
  return (int)syscall(SYS_capset, &header, words);
}

// lookUpUser(user, group) returns [uid, gid]. An empty group means the user's primary group. Throws ENOENT for an
// unknown name.
napi_value look_up_user(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result, number;
  char user[NAME_BYTES], group[NAME_BYTES];
  if (!take_arguments(env, info, arguments, 2) || !take_string(env, arguments[0], user, sizeof user) ||
      !take_string(env, arguments[1], group, sizeof group)) {
    return NULL;
  }
  const struct passwd *account = getpwnam(user);
  if (account == NULL) return throw_errno(env, ENOENT, "getpwnam");
  uid_t uid = account->pw_uid;
  gid_t gid = account->pw_gid;
  if (group[0] != '\0') {
    const struct group *found = getgrnam(group);
    if (found == NULL) return throw_errno(env, ENOENT, "getgrnam");
    gid = found->gr_gid;
  }
  CHECK_NAPI(env, napi_create_array_with_length(env, 2, &result));
  CHECK_NAPI(env, napi_create_uint32(env, uid, &number));
  CHECK_NAPI(env, napi_set_element(env, result, 0, number));
  CHECK_NAPI(env, napi_create_uint32(env, gid, &number));
  CHECK_NAPI(env, napi_set_element(env, result, 1, number));
  return result;
}

// becomeUser(user, uid, gid). The order matters: each step takes away the privilege that the steps before it need.
napi_value become_user(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char user[NAME_BYTES];
  uint32_t uid, gid;
  if (!take_arguments(env, info, arguments, 3) || !take_string(env, arguments[0], user, sizeof user)) return NULL;
  CHECK_NAPI(env, napi_get_value_uint32(env, arguments[1], &uid));
  CHECK_NAPI(env, napi_get_value_uint32(env, arguments[2], &gid));
  if (initgroups(user, gid) < 0) return throw_errno(env, errno, "initgroups");
  if (setresgid(gid, gid, gid) < 0) return throw_errno(env, errno, "setresgid");
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return throw_errno(env, errno, "prctl");
  if (setresuid(uid, uid, uid) < 0) return throw_errno(env, errno, "setresuid");
  if (keep_network_capabilities() < 0) return throw_errno(env, errno, "capset");
  return NULL;
}

// forbidNewPrivileges(): no program that this process starts can get more privileges than it has.
napi_value forbid_new_privileges(napi_env env, napi_callback_info info) {
  (void)info;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return throw_errno(env, errno, "prctl");
  return NULL;
}

// redirectDescriptor(from, to) replaces the file descriptor `to` by a duplicate of `from`, in one step: no write to
// `to` fails meanwhile.
napi_value redirect_descriptor(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t from, to;
  if (!take_arguments(env, info, arguments, 2) || !take_int32(env, arguments[0], &from) ||
      !take_int32(env, arguments[1], &to)) {
    return NULL;
  }
  if (dup2(from, to) < 0) return throw_errno(env, errno, "dup2");
  return NULL;
}
