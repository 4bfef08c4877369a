#include "send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "outgoing.h"
#include "state.h"
#include "tally.h"
#include "tls_stream.h"
#include "tunnel.h"
#include "websocket_messages.h"

// The content type of application data (RFC 8446, B.1). tls_records.h has it only in builds with ciphers.
enum { APPLICATION_DATA = 23 };

// Shuts the connection down, because a stream with half a message in it is useless. Returns -error.
static int give_up(const struct stream *stream, int error) {
  shutdown(stream->head.fd, SHUT_RDWR);
  return -error;
}

// Returns the number of octets that wait. If there are any, the host is called when some have left.
static ssize_t waiting(struct stream *stream) {
  if (stream->rest == NULL) return 0;
  stream->has_waited = true;
  stream->wants_room = true;
  return (ssize_t)stream_rest_bytes(stream);
}

// Sends octets behind the rest. Returns 0 or -errno.
static int send_octets(struct stream *stream, const uint8_t *bytes, size_t length) {
  size_t sent = 0;
  if (stream->rest == NULL) {
    const ssize_t count = stream_send(stream, bytes, length);
    if (count < 0 && !warrants_retry((int)-count)) return (int)count;
    if (count > 0) sent = (size_t)count;
  }
  if (sent == length) return 0;
  uint8_t *rest = stream_extend_rest(stream, length - sent);
  if (rest == NULL) return give_up(stream, ENOMEM);
  memcpy(rest, bytes + sent, length - sent);
  return 0;
}

// Seals content directly into the rest, without a copy.
static int seal_behind_rest(struct stream *stream, uint8_t type, const uint8_t *content, size_t length) {
  uint8_t *rest = stream_extend_rest(stream, tls_stream_sealed_bytes(length));
  if (rest == NULL) return give_up(stream, ENOMEM);
  return tls_stream_seal_content(stream->tunnel->tls, type, content, length, rest) > 0 ? 0 : give_up(stream, EIO);
}

static int send_sealed(struct stream *stream, uint8_t type, const uint8_t *content, size_t length) {
  uint8_t *block = tls_stream_block(stream->head.datapath);
  if (block == NULL) return -ENOMEM;
  for (size_t at = 0; at < length;) {
    if (stream->rest != NULL) return seal_behind_rest(stream, type, content + at, length - at);
    const size_t piece = length - at < SEALED_PIECE_BYTES ? length - at : SEALED_PIECE_BYTES;
    const size_t sealed = tls_stream_seal_content(stream->tunnel->tls, type, content + at, piece, block);
    if (sealed == 0) return give_up(stream, EIO);
    const int error = send_octets(stream, block, sealed);
    if (error < 0) return error;
    at += piece;
  }
  return 0;
}

static int send_bytes(struct stream *stream, const uint8_t *bytes, size_t length) {
  if (stream->tunnel->tls == NULL) return send_octets(stream, bytes, length);
  return send_sealed(stream, APPLICATION_DATA, bytes, length);
}

static bool is_worn(const struct tunnel *tunnel) { return tunnel->tls != NULL && tls_stream_is_worn(tunnel->tls); }

ssize_t tunnel_send(struct stream *stream, const uint8_t *bytes, size_t length) {
  if (is_worn(stream->tunnel)) return -EDQUOT;
  const int error = send_bytes(stream, bytes, length);
  return error < 0 ? error : waiting(stream);
}

ssize_t tunnel_send_record(struct stream *stream, uint8_t type, const uint8_t *content, size_t length) {
  const int error = stream->tunnel->tls == NULL ? -EINVAL : send_sealed(stream, type, content, length);
  return error < 0 ? error : waiting(stream);
}

ssize_t tunnel_send_frames(struct stream *stream, const struct etherws_batch *frames, size_t least) {
  struct datapath *datapath = stream->head.datapath;
  const struct tunnel *tunnel = stream->tunnel;
  uint8_t *block = message_block(datapath);
  if (block == NULL) return -ENOMEM;
  if (is_worn(tunnel)) return -EDQUOT;
  size_t end = 0;
  for (uint32_t i = 0; i < (tunnel->is_batched ? 1 : frames->count); i++) {
    const uint8_t *key = tunnel->is_masking ? next_key(datapath, 0) : NULL;
    if (tunnel->is_masking && key == NULL) return -EIO;
    if (tunnel->is_batched) {
      end = etherws_write_batch(block, frames, key);
      break;
    }
    const uint32_t index = frames->indexes[i], length = frames->lengths[index];
    const size_t padded = length < least ? least : length;
    end += etherws_write_message(block + end, frames->bytes + frames->starts[index], length, padded, key);
  }
  const int error = send_bytes(stream, block, end);
  return error < 0 ? error : waiting(stream);
}
