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

// The most ciphertext of one read. More would leave the processor's cache before it is opened.
enum { READ_BYTES = 128 * 1024 };

// Calls the host for a record, or a fault. Returns whether more is to be opened.
static bool tell(struct stream *stream, int status, const uint8_t *content, size_t length) {
  struct tls_stream *tls = stream->tunnel->tls;
  const bool has_data = tls->has_data;
  tls->has_data = false;
  const enum record_answer answer = host_record(&stream->head, status, content, length, has_data);
  if (stream->tunnel == NULL) return false;
  tls->is_inside_a_message = answer == GO_ON_INSIDE_A_MESSAGE;
  return answer != STOP;
}

// The peer's key has sealed as many records as it may. The host asks the peer, once, to update it. Records that the
// peer sent before it got the request are still opened, up to a quarter more; then the connection fails. Returns
// whether more is to be opened.
static bool may_go_on(struct stream *stream) {
  struct tls_stream *tls = stream->tunnel->tls;
  const uint64_t most = tls->records_a_key + tls->records_a_key / 4;
  if (tls->opening->sequence >= most) return tell(stream, -ETHERWS_INTERNAL_ERROR, NULL, 0);
  if (tls->is_update_requested) return true;
  tls->is_update_requested = true;
  return tell(stream, PEER_KEY_WORN, NULL, 0);
}

// Opens complete records of `bytes`, as many as the window has room for. Returns the number of octets consumed, or
// -ENOMEM. is_over: no more can be opened now.
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
  // Copied, because take_messages releases the window that it lies in.
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

// Opens all complete records of `bytes`, and keeps an incomplete one for the next read. Returns `status`; -ENOMEM; or
// -EAGAIN when the tunnel was closed meanwhile.
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
    // So much ciphertext was read before the tunnel was opened that little room for a read is left. It is opened first.
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
  // A callback may read another tunnel before this read returns. So each read takes the buffer for itself.
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
