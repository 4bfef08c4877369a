#include "backpressure.h"

#include <stddef.h>

#include "host.h"
#include "state.h"
#include "stream.h"

bool can_wait(const struct descriptor *ingress) {
  return host_now_ms(ingress->datapath->host) >= ingress->wait.none_until_ms;
}

// Each list is linked both ways, so that neither beginning nor ending a wait walks past others, of which there may be thousands.
static struct waiting *list_of(const struct descriptor *ingress, enum wait_list list) {
  return list == WAIT_OF_ALL ? &ingress->datapath->waiting : &ingress->wait.egress->waiting;
}

static void append(struct descriptor *ingress, enum wait_list list) {
  struct waiting *waiting = list_of(ingress, list);
  ingress->wait.before[list] = waiting->last;
  ingress->wait.next[list] = NULL;
  if (waiting->last == NULL) waiting->first = ingress;
  else waiting->last->wait.next[list] = ingress;
  waiting->last = ingress;
}

static void take_off(struct descriptor *ingress, enum wait_list list) {
  struct waiting *waiting = list_of(ingress, list);
  struct descriptor *before = ingress->wait.before[list];
  struct descriptor *next = ingress->wait.next[list];
  if (before == NULL) waiting->first = next;
  else before->wait.next[list] = next;
  if (next == NULL) waiting->last = before;
  else next->wait.before[list] = before;
}

void wait_for(struct descriptor *ingress, struct descriptor *egress) {
  struct datapath *datapath = ingress->datapath;
  if (ingress->wait.egress != NULL) return;
  ingress->wait.egress = egress;
  append(ingress, WAIT_OF_ALL);
  append(ingress, WAIT_OF_EGRESS);
  ingress->wait.since_ms = host_now_ms(datapath->host);
  ingress->withheld = READABLE;
  if (!datapath->is_timer_running) host_start_timer(datapath->host, MAX_WAIT_MS);
  datapath->is_timer_running = true;
  descriptor_poll(ingress);
}

void stop_waiting(struct descriptor *ingress) {
  if (ingress->wait.egress == NULL) return;
  take_off(ingress, WAIT_OF_ALL);
  take_off(ingress, WAIT_OF_EGRESS);
  ingress->wait.egress = NULL;
  ingress->withheld = 0;
}

struct descriptor *take_waiting(struct descriptor *egress) {
  struct descriptor *ingress = egress->waiting.first;
  if (ingress != NULL) stop_waiting(ingress);
  return ingress;
}

void release_waiting(struct descriptor *egress) {
  for (;;) {
    struct descriptor *ingress = take_waiting(egress);
    if (ingress == NULL) return;
    descriptor_poll(ingress);
  }
}

static bool is_late(const struct descriptor *ingress, uint64_t now_ms) {
  const struct wait *wait = &ingress->wait;
  if (now_ms - wait->since_ms < MAX_WAIT_MS) return false;
  // Others have had their turn.
  const struct stream *egress = (const struct stream *)(const void *)wait->egress;
  return now_ms - egress->relieved_ms >= MAX_WAIT_MS || now_ms - wait->since_ms >= MAX_TURN_MS;
}

void release_late(struct datapath *datapath) {
  const uint64_t now_ms = host_now_ms(datapath->host);
  struct descriptor *next = NULL;
  for (struct descriptor *at = datapath->waiting.first; at != NULL; at = next) {
    next = at->wait.next[WAIT_OF_ALL];
    if (!is_late(at, now_ms)) continue;
    stop_waiting(at);
    at->wait.none_until_ms = now_ms + MAX_WAIT_MS;
    descriptor_poll(at);
  }
  datapath->is_timer_running = datapath->waiting.first != NULL;
  if (datapath->is_timer_running) host_start_timer(datapath->host, MAX_WAIT_MS / 4);
}
