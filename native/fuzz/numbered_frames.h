// Frames that carry a number, for datapath_fuzz.c: each is taken once, unchanged, and in order.
#ifndef ETHERWS_NUMBERED_FRAMES_H
#define ETHERWS_NUMBERED_FRAMES_H

#include <string.h>

#include "fake_host.h"

enum { HEADERS = 14, MIN_FRAME = HEADERS + 5, MAX_FRAME = 900, FRAMES = 4096 };

enum fate { SENT, AT_HOST, ARRIVED };

static struct sent {
  uint8_t from, to;  // `end_count`: from the host
  uint16_t length;
  enum fate fate;
} frames[FRAMES];
static uint32_t frame_count;
static unsigned long forwarded;

static uint32_t build_frame(uint8_t *frame, uint32_t from, uint32_t to) {
  require(frame_count < FRAMES, "too many frames");
  const uint32_t length = MIN_FRAME + below(MAX_FRAME - MIN_FRAME), id = frame_count++;
  memset(frame, (int)(id * 7), length);
  memset(frame, 0, HEADERS);
  frame[0] = frame[6] = 2;
  frame[5] = (uint8_t)to;
  frame[11] = (uint8_t)from;
  frame[12] = 0x88;
  frame[13] = 0xb5;
  memcpy(frame + HEADERS, &id, sizeof id);
  frames[id] = (struct sent){(uint8_t)from, (uint8_t)to, (uint16_t)length, SENT};
  return length;
}

static struct sent *check_frame(const uint8_t *frame, uint32_t length, uint32_t *id) {
  require(length >= MIN_FRAME, "a frame that is too short");
  memcpy(id, frame + HEADERS, sizeof *id);
  require(*id < frame_count && frames[*id].length == length, "a frame that was not sent");
  struct sent *sent = &frames[*id];
  require(frame[5] == sent->to && frame[11] == sent->from, "a frame with other addresses");
  for (uint32_t i = HEADERS + sizeof *id; i < length; i++) require(frame[i] == (uint8_t)(*id * 7), "other octets");
  require(sent->fate == SENT, "a frame has come twice");
  return sent;
}

static void arrive(struct end *end, const uint8_t *frame, uint32_t length) {
  uint32_t id;
  struct sent *sent = check_frame(frame, length, &id);
  require(&ends[sent->to] == end, "a frame has come to the wrong end");
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
