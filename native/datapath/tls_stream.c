#include "tls_stream.h"

#include <stdlib.h>
#include <string.h>

#include "buffer_budget.h"
#include "state.h"
#include "tls_records.h"

bool tls_stream_carry(struct datapath *datapath, struct tls_stream *tls, const uint8_t *bytes, size_t length) {
  if (!buffers_hold(datapath->buffers, length)) return false;
  tls->carried = malloc(length);
  if (tls->carried == NULL) {
    buffers_release(datapath->buffers, length);
    return false;
  }
  memcpy(tls->carried, bytes, length);
  tls->carried_bytes = length;
  return true;
}

void tls_stream_set_keys(struct tls_stream *tls, struct etherws_tls_records *opening,
                         struct etherws_tls_records *sealing) {
  if (opening != tls->opening) tls->is_update_requested = false;
  tls->opening = opening;
  tls->sealing = sealing;
}

#ifdef ETHERWS_HAS_CIPHERS

// The length of the records for SEALED_PIECE_BYTES of content.
enum { SEALED_BYTES = SEALED_PIECE_BYTES + 15 * ETHERWS_RECORD_OVERHEAD_BYTES };

uint8_t *tls_stream_block(struct datapath *datapath) {
  if (datapath->sealed == NULL) datapath->sealed = malloc(SEALED_BYTES);
  return datapath->sealed;
}

size_t tls_stream_sealed_bytes(size_t length) { return etherws_sealed_bytes(length); }

bool tls_stream_is_worn(const struct tls_stream *tls) { return tls->sealing->sequence >= tls->records_a_key; }

size_t tls_stream_seal_content(struct tls_stream *tls, uint8_t type, const uint8_t *content, size_t length,
                               uint8_t *to) {
  if (tls->sealing->cipher == NULL) return 0;
  return etherws_seal_tls_records(tls->sealing, type, content, length, to);
}

const uint8_t *tls_stream_seal(struct datapath *datapath, struct tls_stream *tls, const uint8_t *message, size_t length,
                               size_t *sealed_bytes) {
  uint8_t *to = tls_stream_block(datapath);
  if (to == NULL || tls_stream_is_worn(tls) || length > SEALED_PIECE_BYTES) return NULL;
  *sealed_bytes = tls_stream_seal_content(tls, ETHERWS_APPLICATION_DATA, message, length, to);
  return *sealed_bytes > 0 ? to : NULL;
}

#else

// In a build without ciphers no tunnel has TLS, so none of these is called.
uint8_t *tls_stream_block(struct datapath *datapath) {
  (void)datapath;
  return NULL;
}

size_t tls_stream_sealed_bytes(size_t length) { return length; }

bool tls_stream_is_worn(const struct tls_stream *tls) {
  (void)tls;
  return false;
}

size_t tls_stream_seal_content(struct tls_stream *tls, uint8_t type, const uint8_t *content, size_t length,
                               uint8_t *to) {
  (void)tls;
  (void)type;
  (void)content;
  (void)length;
  (void)to;
  return 0;
}

const uint8_t *tls_stream_seal(struct datapath *datapath, struct tls_stream *tls, const uint8_t *message, size_t length,
                               size_t *sealed_bytes) {
  (void)datapath;
  (void)tls;
  (void)message;
  (void)length;
  (void)sealed_bytes;
  return NULL;
}

#endif

void tls_stream_free(struct datapath *datapath, struct tls_stream *tls) {
  buffers_release(datapath->buffers, tls->carried_bytes);
  free(tls->carried);
  free(tls);
}
