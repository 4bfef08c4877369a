// What JavaScript sends by a tunnel, in one call each: frames become messages, messages become records where the tunnel
// is under TLS, and these leave. What the kernel does not take goes behind the rest of the tunnel (tunnel->rest), which
// tunnel.c sends when there is room: JavaScript never gets it back.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fast_path.h"

// TLS 1.3's content type of data; here for a build without ciphers, too.
enum { APPLICATION_DATA = 23 };

// Makes the rest longer by `bytes`. Returns their place, or NULL when there is no memory. The budget counts them without
// a limit: they were counted in JavaScript's queue before, and tunnels shed from there.
static uint8_t *extend_rest(struct descriptor *egress, size_t bytes) {
  struct tunnel *tunnel = egress->tunnel;
  const size_t left = rest_bytes(tunnel);
  uint8_t *rest = malloc(left + bytes);
  if (rest == NULL) return NULL;
  if (tunnel->rest != NULL) {
    memcpy(rest, tunnel->rest + tunnel->rest_from, left);
    free(tunnel->rest);
    buffers_release(egress->fast->buffers, tunnel->rest_to);
  }
  buffers_count(egress->fast->buffers, left + bytes);
  tunnel->rest = rest;
  tunnel->rest_from = 0;
  tunnel->rest_to = left + bytes;
  return rest + left;
}

// Half a message makes the stream worthless.
static ssize_t give_up(const struct descriptor *egress, int error) {
  shutdown(egress->fd, SHUT_RDWR);
  return -error;
}

// Returns how many octets wait, and has JavaScript told when they leave.
static ssize_t waiting(struct descriptor *egress) {
  struct tunnel *tunnel = egress->tunnel;
  if (tunnel->rest == NULL) return 0;
  egress->has_waited = true;
  if (!tunnel->wants_room) {
    tunnel->wants_room = true;
    descriptor_poll(egress);
  }
  return (ssize_t)rest_bytes(tunnel);
}

// Sends octets behind the rest. Returns 0, or -errno.
static int send_octets(struct descriptor *egress, const uint8_t *bytes, size_t length) {
  size_t sent = 0;
  if (egress->tunnel->rest == NULL) {
    ssize_t count = send_now(egress, bytes, length);
    if (count < 0 && !warrants_retry(errno)) return -errno;
    if (count > 0) sent = (size_t)count;
  }
  if (sent == length) return 0;
  uint8_t *rest = extend_rest(egress, length - sent);
  if (rest == NULL) return (int)give_up(egress, ENOMEM);
  memcpy(rest, bytes + sent, length - sent);
  return 0;
}

// Seals content where it will wait.
static int seal_behind_rest(struct descriptor *egress, uint8_t type, const uint8_t *content, size_t length) {
  uint8_t *rest = extend_rest(egress, sealed_length(length));
  if (rest == NULL) return (int)give_up(egress, ENOMEM);
  return seal_content(egress, type, content, length, rest) > 0 ? 0 : (int)give_up(egress, EIO);
}

static int send_sealed(struct descriptor *egress, uint8_t type, const uint8_t *content, size_t length) {
  uint8_t *block = sealed_block(egress->fast);
  if (block == NULL) return -ENOMEM;
  for (size_t at = 0; at < length;) {
    if (egress->tunnel->rest != NULL) return seal_behind_rest(egress, type, content + at, length - at);
    size_t piece = length - at < SEALED_PIECE_BYTES ? length - at : SEALED_PIECE_BYTES;
    size_t sealed = seal_content(egress, type, content + at, piece, block);
    if (sealed == 0) return (int)give_up(egress, EIO);
    int error = send_octets(egress, block, sealed);
    if (error < 0) return error;
    at += piece;
  }
  return 0;
}

static int send_bytes(struct descriptor *egress, const uint8_t *bytes, size_t length) {
  if (egress->tunnel->sealed == NULL) return send_octets(egress, bytes, length);
  return send_sealed(egress, APPLICATION_DATA, bytes, length);
}

ssize_t tunnel_send(struct descriptor *egress, const uint8_t *bytes, size_t length) {
  if (egress->tunnel->sealed != NULL && is_key_worn(egress)) return -EDQUOT;
  int error = send_bytes(egress, bytes, length);
  return error < 0 ? error : waiting(egress);
}

ssize_t tunnel_send_record(struct descriptor *egress, uint8_t type, const uint8_t *content, size_t length) {
  int error = egress->tunnel->sealed == NULL ? -EINVAL : send_sealed(egress, type, content, length);
  return error < 0 ? error : waiting(egress);
}

ssize_t tunnel_send_frames(struct descriptor *egress, const struct etherws_batch *frames, size_t least) {
  struct fast_path *fast = egress->fast;
  const struct tunnel *tunnel = egress->tunnel;
  uint8_t *block = message_block(fast);
  if (block == NULL) return -ENOMEM;
  if (tunnel->sealed != NULL && is_key_worn(egress)) return -EDQUOT;
  size_t end = 0;
  for (uint32_t i = 0; i < (tunnel->is_batched ? 1 : frames->count); i++) {
    const uint8_t *key = tunnel->is_masking ? next_key(fast, 0) : NULL;
    if (tunnel->is_masking && key == NULL) return -EIO;
    if (tunnel->is_batched) {
      end = etherws_write_batch(block, frames, key);
      break;
    }
    const uint32_t index = frames->indexes[i], length = frames->lengths[index];
    const size_t padded = length < least ? least : length;
    end += etherws_write_message(block + end, frames->bytes + frames->starts[index], length, padded, key);
  }
  int error = send_bytes(egress, block, end);
  return error < 0 ? error : waiting(egress);
}
