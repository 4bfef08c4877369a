#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "buffer_budget.h"
#include "host.h"
#include "state.h"
#include "tally.h"

bool stream_is_local(const struct stream *stream) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  return getsockname(stream->head.fd, (struct sockaddr *)&address, &length) == 0 && address.ss_family == AF_UNIX;
}

ssize_t stream_read(const struct stream *stream, uint8_t *bytes, size_t length) {
  ssize_t count;
  do count = recv(stream->head.fd, bytes, length, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

ssize_t stream_send(const struct stream *stream, const uint8_t *bytes, size_t length) {
  ssize_t count;
  do count = send(stream->head.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int stream_end(struct stream *stream) {
  if (stream->rest != NULL) {
    stream->wants_room = true;
    return -EAGAIN;
  }
  return shutdown(stream->head.fd, SHUT_WR) < 0 ? -errno : 0;
}

void stream_keep_rest(struct stream *stream, const uint8_t *bytes, size_t length) {
  double *buffers = stream->head.datapath->buffers;
  stream->has_waited = true;
  const bool has_room = buffers_hold(buffers, length);
  stream->rest = has_room ? malloc(length) : NULL;
  if (stream->rest == NULL) {
    if (has_room) buffers_release(buffers, length);
    shutdown(stream->head.fd, SHUT_RDWR);
    return;
  }
  memcpy(stream->rest, bytes, length);
  stream->rest_from = 0;
  stream->rest_to = length;
  stream->head.needed = WRITABLE;
  descriptor_poll(&stream->head);
}

void stream_drop_rest(struct stream *stream) {
  if (stream->rest == NULL) return;
  free(stream->rest);
  buffers_release(stream->head.datapath->buffers, stream->rest_to);
  stream->rest = NULL;
  stream->head.needed = 0;
}

size_t stream_rest_bytes(const struct stream *stream) {
  return stream->rest == NULL ? 0 : stream->rest_to - stream->rest_from;
}

uint8_t *stream_extend_rest(struct stream *stream, size_t bytes) {
  double *buffers = stream->head.datapath->buffers;
  const size_t left = stream_rest_bytes(stream);
  uint8_t *rest = malloc(left + bytes);
  if (rest == NULL) return NULL;
  if (stream->rest != NULL) {
    memcpy(rest, stream->rest + stream->rest_from, left);
    free(stream->rest);
    buffers_release(buffers, stream->rest_to);
  }
  buffers_count(buffers, left + bytes);
  stream->rest = rest;
  stream->rest_from = 0;
  stream->rest_to = left + bytes;
  if (stream->head.needed == 0) {
    stream->head.needed = WRITABLE;
    descriptor_poll(&stream->head);
  }
  return rest + left;
}

int stream_send_rest(struct stream *stream) {
  const ssize_t sent = stream_send(stream, stream->rest + stream->rest_from, stream_rest_bytes(stream));
  const int error = sent < 0 && !warrants_retry((int)-sent) ? (int)sent : 0;
  if (error < 0) stream->rest_from = stream->rest_to;
  else if (sent > 0) stream->rest_from += (size_t)sent;
  if (stream_rest_bytes(stream) > 0) return 0;
  stream_drop_rest(stream);
  descriptor_poll(&stream->head);
  return error;
}
