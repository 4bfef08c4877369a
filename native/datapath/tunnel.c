#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include "tls_stream.h"

int tunnel_open(struct stream *stream, bool is_masking, bool is_batched, uint32_t max_message_bytes) {
  if (stream->head.fd < 0 || stream->tunnel != NULL) return -EBADF;
  stream->tunnel = malloc(sizeof *stream->tunnel);
  if (stream->tunnel == NULL) return -ENOMEM;
  *stream->tunnel = (struct tunnel){
      .is_masking = is_masking, .is_batched = is_batched, .is_whole = true, .max_message_bytes = max_message_bytes};
  stream->is_local = stream_is_local(stream);
  return 0;
}

int tunnel_start_tls(struct stream *stream, uint64_t records_a_key, const uint8_t *early, size_t length) {
  struct tls_stream *tls = calloc(1, sizeof *tls);
  if (tls == NULL) return -ENOMEM;
  tls->records_a_key = records_a_key;
  if (length > 0 && !tls_stream_carry(stream->head.datapath, tls, early, length)) {
    free(tls);
    return -ENOMEM;
  }
  stream->tunnel->tls = tls;
  return 0;
}

void tunnel_free(struct stream *stream) {
  struct tunnel *tunnel = stream->tunnel;
  stream_drop_rest(stream);
  if (tunnel == NULL) return;
  stream->tunnel = NULL;
  if (tunnel->tls != NULL) tls_stream_free(stream->head.datapath, tunnel->tls);
  unfinished_drop(stream->head.datapath, &tunnel->unfinished);
  free(tunnel);
}

size_t tunnel_held(const struct stream *stream) {
  const struct tunnel *tunnel = stream->tunnel;
  size_t held = stream->rest != NULL ? stream->rest_to : 0;
  if (tunnel == NULL) return held;
  held += unfinished_held(&tunnel->unfinished);
  return tunnel->tls != NULL ? held + tunnel->tls->carried_bytes : held;
}
