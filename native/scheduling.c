// When the scheduler lets this thread run.
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

// As in linux/sched/types.h, which C libraries of before 2.41 keep from those who include sched.h.
struct scheduling {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
};

enum {
  RESET_ON_FORK = 1,
  // The least that Linux grants, and less than what others have unasked.
  SLICE_NS = 100 * 1000,
};

// runBriefly(): asks for the usual share of the processor in short slices. Since Linux 6.12 who wakes up with a shorter
// slice does not wait for the end of a longer one; elsewhere, and under a real-time policy, nothing changes. Threads that
// this one starts have slices as usual. Throws what the system says.
napi_value run_briefly(napi_env env, napi_callback_info info) {
  struct scheduling scheduling = {.size = sizeof scheduling};
  (void)info;
  if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof scheduling, 0) != 0) {
    return throw_errno(env, errno, "sched_getattr");
  }
  if (scheduling.policy != SCHED_OTHER && scheduling.policy != SCHED_BATCH) return NULL;
  scheduling.flags |= RESET_ON_FORK;
  scheduling.runtime_ns = SLICE_NS;
  if (syscall(SYS_sched_setattr, 0, &scheduling, 0) != 0) return throw_errno(env, errno, "sched_setattr");
  return NULL;
}
