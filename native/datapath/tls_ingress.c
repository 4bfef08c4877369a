#include "tls_ingress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buffer_budget.h"
#include "host.h"
#include "message_ingress.h"
#include "state.h"
#include "tls_records.h"
#include "tls_stream.h"
#include "tunnel.h"

#ifdef ETHERWS_HAS_CIPHERS

// More ciphertext would not stay in a processor's cache until it is opened.
enum { READ_BYTES = 128 * 1024 };

// Tells the host of a record. Returns whether more is to be opened.
static bool tell(struct stream *stream, int status, const uint8_t *content, size_t length) {
  struct tls_stream *tls = stream->tunnel->tls;
  const bool has_data = tls->has_data;
  tls->has_data = false;
  const enum record_answer answer = host_record(&stream->head, status, content, length, has_data);
  if (stream->tunnel == NULL) return false;
  tls->is_inside_a_message = answer == GO_ON_INSIDE_A_MESSAGE;
  return answer != STOP;
}

// The peer's key has sealed as many records as it may. The host asks the peer for another one; what the peer had sent
// before it got that passes, but not a quarter more. Returns whether more is to be opened.
static bool may_go_on(struct stream *stream) {
  struct tls_stream *tls = stream->tunnel->tls;
  const uint64_t most = tls->records_a_key + tls->records_a_key / 4;
  if (tls->opening->sequence >= most) return tell(stream, -ETHERWS_INTERNAL_ERROR, NULL, 0);
  if (tls->is_update_requested) return true;
  tls->is_update_requested = true;
  return tell(stream, PEER_KEY_WORN, NULL, 0);
}

// Opens what is there of `bytes`, a slab's worth. Returns how much was consumed, and in `is_over` whether no more can be
// opened; or -ENOMEM.
static ssize_t open_some(struct stream *stream, const uint8_t *bytes, size_t length, bool is_from_loop, bool *is_over) {
  struct datapath *datapath = stream->head.datapath;
  struct tls_stream *tls = stream->tunnel->tls;
  struct etherws_opened opened;
  struct window window;
  uint8_t content[ETHERWS_MAX_CONTENT_BYTES];
  *is_over = true;
  if (tls->opening->cipher == NULL) return (ssize_t)length;
  if (tls->opening->sequence >= tls->records_a_key && !may_go_on(stream)) return (ssize_t)length;
  if (!window_open(datapath, &stream->tunnel->unfinished, &window)) return -ENOMEM;
  uint8_t *to = window.slab->bytes + window.to;
  int status = etherws_open_tls_records(tls->opening, bytes, length, to, window_room(&window), &opened);
  if (opened.produced > 0 && tls->is_inside_a_message) {
    status = -ETHERWS_UNEXPECTED_MESSAGE;
    opened.produced = 0;
  }
  // It lies where the next read will write.
  if (status > 0) memcpy(content, to + opened.produced, opened.content);
  tls->has_data |= opened.produced > 0;
  window.end += opened.produced;
  const bool is_kept =
      opened.produced > 0 ? take_messages(stream, &window, is_from_loop) : keep_messages(stream, &window, window.from);
  if (stream->tunnel == NULL) return (ssize_t)length;
  if (!is_kept) return -ENOMEM;
  if (status == 0) *is_over = opened.consumed == 0;
  else *is_over = !tell(stream, status, content, status > 0 ? opened.content : 0);
  return (ssize_t)(*is_over && status != 0 ? length : opened.consumed);
}

// Opens all that is whole of `bytes`, and carries the rest over. Returns `status`, or what went wrong.
static ssize_t open_all(struct stream *stream, const uint8_t *bytes, size_t end, bool is_from_loop, ssize_t status) {
  size_t at = 0;
  for (bool is_over = false; !is_over && at < end;) {
    const ssize_t consumed = open_some(stream, bytes + at, end - at, is_from_loop, &is_over);
    if (stream->tunnel == NULL) return -EAGAIN;
    if (consumed < 0) return consumed;
    at += (size_t)consumed;
  }
  if (at == end) return status;
  return tls_stream_carry(stream->head.datapath, stream->tunnel->tls, bytes + at, end - at) ? status : -ENOMEM;
}

static ssize_t read_to(struct stream *stream, uint8_t *ciphertext, bool is_from_loop) {
  struct tls_stream *tls = stream->tunnel->tls;
  uint8_t *carried = tls->carried;
  size_t end = tls->carried_bytes;
  tls->carried = NULL;
  tls->carried_bytes = 0;
  buffers_release(stream->head.datapath->buffers, end);
  if (end > READ_BYTES / 2) {
    // Too much was read before the tunnel was opened to share the place with a read: it goes first.
    const ssize_t status = open_all(stream, carried, end, is_from_loop, -EAGAIN);
    free(carried);
    return status;
  }
  if (end > 0) memcpy(ciphertext, carried, end);
  free(carried);
  const ssize_t count = stream_read(stream, ciphertext + end, READ_BYTES - end);
  if (count > 0) end += (size_t)count;
  return open_all(stream, ciphertext, end, is_from_loop, count);
}

ssize_t tls_read(struct stream *stream, bool is_from_loop) {
  // The host may read another tunnel before it returns: each read has the place alone.
  struct datapath *datapath = stream->head.datapath;
  uint8_t *ciphertext = datapath->ciphertext != NULL ? datapath->ciphertext : malloc(READ_BYTES);
  datapath->ciphertext = NULL;
  const ssize_t status = ciphertext == NULL ? -ENOMEM : read_to(stream, ciphertext, is_from_loop);
  if (datapath->ciphertext == NULL) datapath->ciphertext = ciphertext;
  else free(ciphertext);
  return status;
}

#else

ssize_t tls_read(struct stream *stream, bool is_from_loop) {
  (void)stream;
  (void)is_from_loop;
  return -ENOSYS;
}

#endif
