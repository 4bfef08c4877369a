// Frames that carry a number, for datapath_fuzz.c: each is taken once, in order, and unchanged but for the tag that flows
// to its end insert, replace or strip.
#ifndef ETHERWS_NUMBERED_FRAMES_H
#define ETHERWS_NUMBERED_FRAMES_H

#include <string.h>

#include "fake_host.h"

enum { ADDRESSES = 12, TAG = 4, HEADERS = 14, MIN_FRAME = HEADERS + 5, MAX_FRAME = 900, FRAMES = 4096 };

enum fate { SENT, AT_HOST, ARRIVED };

static struct sent {
  uint8_t from, to;  // `end_count`: from the host
  uint16_t length;   // without the tag
  bool is_tagged;
  enum fate fate;
} frames[FRAMES];
static uint32_t frame_count;
static unsigned long forwarded, changed;

// The tag of frames that an end sends with one, and the tag that flows to an end insert.
static const uint8_t OWN_TAG[TAG] = {0x81, 0, 0, 7}, NEW_TAG[TAG] = {0x81, 0, 0, 9};

static bool sends_tags(uint32_t from) { return from % 3 == 1; }

// What flows do with frames to this end; ends of all changes and of none are in most cases.
static struct etherws_tag_change change_to(uint32_t from, uint32_t to) {
  struct etherws_tag_change change = {0};
  if (to % 2 == 0) return change;
  change.stripped = sends_tags(from) ? TAG : 0;
  if (to % 4 == 3 && sends_tags(from)) return change;
  change.inserted = TAG;
  memcpy(change.tag, NEW_TAG, TAG);
  return change;
}

static uint32_t build_frame(uint8_t *frame, uint32_t from, uint32_t to) {
  require(frame_count < FRAMES, "too many frames");
  const uint32_t length = MIN_FRAME + below(MAX_FRAME - TAG - MIN_FRAME), id = frame_count++;
  const bool is_tagged = sends_tags(from);
  const uint32_t added = is_tagged ? TAG : 0;
  memset(frame, (int)(id * 7), length + added);
  memset(frame, 0, HEADERS + added);
  frame[0] = frame[6] = 2;
  frame[5] = (uint8_t)to;
  frame[11] = (uint8_t)from;
  if (is_tagged) memcpy(frame + ADDRESSES, OWN_TAG, TAG);
  frame[added + 12] = 0x88;
  frame[added + 13] = 0xb5;
  memcpy(frame + HEADERS + added, &id, sizeof id);
  frames[id] = (struct sent){(uint8_t)from, (uint8_t)to, (uint16_t)length, is_tagged, SENT};
  return length + added;
}

// Returns the frame's record. `tag` is set to its tag; NULL: it has none.
static struct sent *check_frame(const uint8_t *frame, uint32_t length, uint32_t *id, const uint8_t **tag) {
  require(length >= MIN_FRAME, "a frame that is too short");
  *tag = frame[ADDRESSES] == 0x81 ? frame + ADDRESSES : NULL;
  const uint8_t *rest = *tag == NULL ? frame : frame + TAG;  // as of a frame without a tag
  const uint32_t rest_bytes = *tag == NULL ? length : length - TAG;
  require(rest_bytes >= MIN_FRAME, "a tagged frame that is too short");
  memcpy(id, rest + HEADERS, sizeof *id);
  require(*id < frame_count && frames[*id].length == rest_bytes, "a frame that was not sent");
  struct sent *sent = &frames[*id];
  require(frame[5] == sent->to && frame[11] == sent->from, "a frame with other addresses");
  require(rest[12] == 0x88 && rest[13] == 0xb5, "another EtherType");
  for (uint32_t i = HEADERS + sizeof *id; i < rest_bytes; i++) require(rest[i] == (uint8_t)(*id * 7), "other octets");
  require(sent->fate == SENT, "a frame has come twice");
  return sent;
}

static void arrive(struct end *end, const uint8_t *frame, uint32_t length) {
  uint32_t id;
  const uint8_t *tag;
  struct sent *sent = check_frame(frame, length, &id, &tag);
  require(&ends[sent->to] == end, "a frame has come to the wrong end");
  const struct etherws_tag_change change = change_to(sent->from, sent->to);
  // Frames of the host go by no flow.
  const bool is_changed = sent->from < end_count && (change.stripped | change.inserted) != 0;
  const uint8_t *expected = sent->is_tagged ? OWN_TAG : NULL;
  if (is_changed) expected = change.inserted != 0 ? NEW_TAG : NULL;
  require((tag == NULL) == (expected == NULL) && (tag == NULL || memcmp(tag, expected, TAG) == 0), "another tag");
  changed += is_changed;
  require(end->newest[sent->from] == 0 || end->newest[sent->from] <= id, "a frame has overtaken another one");
  end->newest[sent->from] = id;
  sent->fate = ARRIVED;
  forwarded++;
}

// Most frames of an end go to one other.
static uint32_t any_target(const struct end *end) {
  return one_in(12) ? below(end_count) : (uint32_t)(end - ends + 1) % end_count;
}

#endif
