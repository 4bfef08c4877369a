// Looks names up by getaddrinfo(3), each in a thread of its own.
//
// Node looks names up in the pool of libuv: at most two at a time, among four threads that also read files and hash
// passwords. A look-up cannot be cancelled, and one that no name server answers takes half a minute: two such names
// delay all others, even those of the hosts file. A thread for each look-up costs little while it waits. The caller
// limits their number (src/ports/tunnel/connect/name-lookup.ts).
//
// getaddrinfo, and not DNS queries of our own, because only it knows all sources of nsswitch.conf: the hosts file,
// multicast DNS, systemd-resolved, LDAP.
#include <errno.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../node/environment.h"
#include "../node/values.h"
#include "system.h"

enum {
  NAME_BYTES = 1025,  // NI_MAXHOST, the terminating zero included
  // 512 KiB is enough for NSS modules, and little enough for many threads.
  STACK_BYTES = 512 * 1024,
};

// The look-ups of an environment. Freed with the last owner.
struct lookups {
  uv_async_t ready;
  napi_env env;
  napi_async_cleanup_hook_handle cleanup;
  pthread_mutex_t lock;  // for the members below
  struct lookup *done;
  unsigned owners;  // the environment, and each thread
  bool is_over;     // the environment ends
};

struct lookup {
  struct lookups *all;
  struct lookup *next;
  napi_ref on_done;
  const char *error;  // NULL: the addresses were found
  char *addresses;    // separated by spaces
  char name[NAME_BYTES];
};

static void release(struct lookups *all) {
  pthread_mutex_lock(&all->lock);
  bool is_last = --all->owners == 0;
  pthread_mutex_unlock(&all->lock);
  if (!is_last) return;
  pthread_mutex_destroy(&all->lock);
  free(all);
}

static void free_lookup(struct lookup *lookup) {
  free(lookup->addresses);
  free(lookup);
}

// The codes of errors of Node's dns.lookup.
static const char *name_of_error(int error) {
  switch (error) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
      return "ENOTFOUND";
    case EAI_AGAIN: return "EAI_AGAIN";
    case EAI_MEMORY: return "EAI_MEMORY";
    case EAI_SYSTEM: return "EAI_SYSTEM";
    default: return "EAI_FAIL";
  }
}

static char *text_of(const struct addrinfo *found) {
  size_t count = 0;
  for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) count++;
  char *text = malloc(count * NAME_BYTES + 1);
  if (text == NULL) return NULL;
  size_t length = 0;
  text[0] = '\0';
  for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
    if (length > 0) text[length++] = ' ';
    int error = getnameinfo(info->ai_addr, info->ai_addrlen, text + length, NAME_BYTES, NULL, 0, NI_NUMERICHOST);
    if (error == 0) length += strlen(text + length);
    text[length] = '\0';
  }
  return text;
}

static void look_up(struct lookup *lookup) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
  struct addrinfo *found = NULL;
  int error = getaddrinfo(lookup->name, NULL, &hints, &found);
  if (error != 0) {
    lookup->error = name_of_error(error);
    return;
  }
  lookup->addresses = text_of(found);
  if (lookup->addresses == NULL) lookup->error = "EAI_MEMORY";
  freeaddrinfo(found);
}

// This thread parses answers of foreign servers, and needs no capability.
static void drop_capabilities(void) {
  if (geteuid() == 0) return;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  syscall(SYS_capset, &header, none);
}

static void *run(void *data) {
  struct lookup *lookup = data;
  struct lookups *all = lookup->all;
  drop_capabilities();
  look_up(lookup);
  pthread_mutex_lock(&all->lock);
  bool is_over = all->is_over;
  if (!is_over) {
    lookup->next = all->done;
    all->done = lookup;
    uv_async_send(&all->ready);
  }
  pthread_mutex_unlock(&all->lock);
  if (is_over) free_lookup(lookup);
  release(all);
  return NULL;
}

// onDone(error, addresses): one of the two is empty.
static void tell(struct lookups *all, struct lookup *lookup) {
  napi_env env = all->env;
  napi_handle_scope scope;
  napi_value callback, receiver, exception, arguments[2];
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  const char *error = lookup->error != NULL ? lookup->error : "";
  const char *addresses = lookup->addresses != NULL ? lookup->addresses : "";
  if (napi_create_string_utf8(env, error, NAPI_AUTO_LENGTH, &arguments[0]) == napi_ok &&
      napi_create_string_utf8(env, addresses, NAPI_AUTO_LENGTH, &arguments[1]) == napi_ok &&
      napi_get_reference_value(env, lookup->on_done, &callback) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, NULL, receiver, callback, 2, arguments, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    napi_fatal_exception(env, exception);
  }
  napi_delete_reference(env, lookup->on_done);
  napi_close_handle_scope(env, scope);
}

static struct lookup *take_done(struct lookups *all) {
  pthread_mutex_lock(&all->lock);
  struct lookup *done = all->done;
  all->done = NULL;
  pthread_mutex_unlock(&all->lock);
  return done;
}

static void on_ready(uv_async_t *ready) {
  struct lookups *all = ready->data;
  for (struct lookup *lookup = take_done(all), *next; lookup != NULL; lookup = next) {
    next = lookup->next;
    tell(all, lookup);
    free_lookup(lookup);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct lookups *all = handle->data;
  napi_remove_async_cleanup_hook(all->cleanup);
  release(all);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct lookups *all = data;
  (void)hook;
  pthread_mutex_lock(&all->lock);
  all->is_over = true;
  pthread_mutex_unlock(&all->lock);
  // From now on no thread calls uv_async_send. JavaScript is not called any more, so its references need not be
  // deleted.
  for (struct lookup *lookup = take_done(all), *next; lookup != NULL; lookup = next) {
    next = lookup->next;
    free_lookup(lookup);
  }
  uv_close((uv_handle_t *)&all->ready, on_closed);
}

static struct lookups *lookups_of(napi_env env) {
  struct host *host = host_of(env);
  if (host->lookups != NULL) return host->lookups;
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;
  struct lookups *all = calloc(1, sizeof *all);
  if (all == NULL) return NULL;
  if (uv_async_init(loop, &all->ready, on_ready) != 0) {
    free(all);
    return NULL;
  }
  pthread_mutex_init(&all->lock, NULL);
  all->env = env;
  all->owners = 1;
  all->ready.data = all;
  // A caller that waits for an answer keeps the loop alive itself; an abandoned look-up must not.
  uv_unref((uv_handle_t *)&all->ready);
  if (napi_add_async_cleanup_hook(env, on_environment_end, all, &all->cleanup) != napi_ok) {
    uv_close((uv_handle_t *)&all->ready, NULL);
    return NULL;
  }
  host->lookups = all;
  return all;
}

// The new thread inherits a mask that blocks all signals: Node's own threads handle them.
static int start_thread(struct lookup *lookup) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t every, before;
  sigfillset(&every);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  int error = pthread_create(&thread, &attributes, run, lookup);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

// lookUpName(name, onDone(error, addresses)). Throws EAGAIN when the system has no more threads.
napi_value look_up_name(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char name[NAME_BYTES];
  if (!take_arguments(env, info, arguments, 2) || !take_string(env, arguments[0], name, sizeof name)) return NULL;
  struct lookups *all = lookups_of(env);
  struct lookup *lookup = all == NULL ? NULL : calloc(1, sizeof *lookup);
  if (lookup == NULL) return throw_errno(env, ENOMEM, "lookUpName");
  lookup->all = all;
  memcpy(lookup->name, name, sizeof name);
  if (napi_create_reference(env, arguments[1], 1, &lookup->on_done) != napi_ok) {
    free_lookup(lookup);
    return throw_napi_failure(env);
  }
  pthread_mutex_lock(&all->lock);
  all->owners++;
  pthread_mutex_unlock(&all->lock);
  int error = start_thread(lookup);
  if (error == 0) return NULL;
  napi_delete_reference(env, lookup->on_done);
  free_lookup(lookup);
  release(all);
  return throw_errno(env, error, "pthread_create");
}
