// A descriptor of the data path as JavaScript has it: an external, and its place in libuv's loop while it is watched.
#ifndef ETHERWS_HANDLE_H
#define ETHERWS_HANDLE_H

#include "../datapath/descriptor.h"
#include "environment.h"

struct handle {
  struct descriptor *descriptor;
  struct host *host;
  napi_env env;
  uv_poll_t poll;
  uv_fs_t close_request;
  bool is_nested;    // it stands in the nested poll
  bool is_ending;    // the environment is going down: JavaScript runs no more
  unsigned owners;   // the external, and the loop while it has the poll handle
  unsigned closing;  // what the loop still has to finish before it is closed
  napi_async_cleanup_hook_handle cleanup;
  // JavaScript's functions, NULL where there is none.
  napi_ref on_ready;
  napi_ref on_closed;
  napi_ref on_octets;
  napi_ref on_record;
  // What has to live as long as the datapath uses it: counters, and keys of TLS.
  napi_ref counters;
  napi_ref meter;
  napi_ref opening;
  napi_ref sealing;
};

// Hands an open file descriptor to JavaScript. Takes it over, and closes it when that fails.
napi_value handle_create(napi_env env, int fd, enum descriptor_kind kind, bool has_vnet_header);

// Each returns false with an exception pending.
bool take_handle(napi_env env, napi_value value, struct handle **result);
bool take_descriptor(napi_env env, napi_value value, struct descriptor **result);
// The file descriptor of an open one, or -1 where the value is undefined.
bool take_fd_or_none(napi_env env, napi_value value, int *fd);

static inline struct handle *handle_of(const struct descriptor *descriptor) { return descriptor->owner; }

// Keeps a value in place of the one that was kept there; NULL: only lets go of that. Returns false when that failed.
bool keep_reference(napi_env env, napi_ref *reference, napi_value value);

// It has been found ready for `status`, or has failed with -errno.
void handle_ready(struct handle *handle, int status);

// watch, pause, resume, await, close, pollNow
napi_value init_handles(napi_env env, napi_value exports);

#endif
