// A descriptor of the data path, as Node has it: an external for JavaScript, and a poll handle in libuv's loop while
// the descriptor is watched.
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
  bool is_nested;    // the nested poll watches it as well
  bool is_ending;    // the environment ends: JavaScript is not called any more
  unsigned owners;   // the external, and the loop while it has the poll handle
  unsigned closing;  // operations that the loop has to finish before it is closed
  napi_async_cleanup_hook_handle cleanup;
  // Callbacks of JavaScript; NULL: there is none.
  napi_ref on_ready;
  napi_ref on_closed;
  napi_ref on_octets;
  napi_ref on_record;
  // Objects that are kept alive as long as the datapath uses their memory: counters, a meter, and TLS keys.
  napi_ref counters;
  napi_ref meter;
  napi_ref opening;
  napi_ref sealing;
};

// Takes over an open file descriptor. Returns an external for JavaScript; or NULL with an exception pending, and the
// file descriptor is closed.
napi_value handle_create(napi_env env, int fd, enum descriptor_kind kind, bool has_vnet_header);

// Each returns false with an exception pending.
bool take_handle(napi_env env, napi_value value, struct handle **result);
bool take_descriptor(napi_env env, napi_value value, struct descriptor **result);
// Takes the file descriptor of an open descriptor; -1 for undefined.
bool take_fd_or_none(napi_env env, napi_value value, int *fd);

static inline struct handle *handle_of(const struct descriptor *descriptor) { return descriptor->owner; }

// Replaces a reference by one to `value`; NULL: only deletes it. Returns false when Node-API fails.
bool keep_reference(napi_env env, napi_ref *reference, napi_value value);

// A poll found the descriptor ready for `status`, or failed with -errno.
void handle_ready(struct handle *handle, int status);

// Exports watch, pause, resume, await, close and pollNow.
napi_value init_handles(napi_env env, napi_value exports);

#endif
