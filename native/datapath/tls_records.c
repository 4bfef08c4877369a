#include "tls_records.h"

#ifdef ETHERWS_HAS_CIPHERS
#include <openssl/crypto.h>
#include <string.h>

#pragma weak OPENSSL_cleanse

bool etherws_start_tls_records(struct etherws_tls_records *records, enum etherws_suite suite, const uint8_t *key,
                               const uint8_t *iv, uint64_t sequence, bool is_sealing,
                               const struct etherws_ipsec_mb *library) {
  *records = (struct etherws_tls_records){.sequence = sequence, .is_sealing = is_sealing};
  memcpy(records->iv, iv, sizeof records->iv);
  records->cipher = etherws_new_cipher(suite, key, is_sealing, library);
  if (records->cipher != NULL) return true;
  etherws_end_tls_records(records);
  return false;
}

void etherws_end_tls_records(struct etherws_tls_records *records) {
  if (records->cipher != NULL) records->cipher->end(records->cipher);
  OPENSSL_cleanse(records, sizeof *records);
}

// The nonce is the IV xor the sequence number (RFC 8446, 5.3).
static void write_nonce(const struct etherws_tls_records *records, uint8_t *nonce) {
  memcpy(nonce, records->iv, ETHERWS_IV_BYTES);
  for (int i = 0; i < 8; i++) nonce[ETHERWS_IV_BYTES - 1 - i] ^= (uint8_t)(records->sequence >> (8 * i));
}

int etherws_open_tls_records(struct etherws_tls_records *records, const uint8_t *from, size_t length, uint8_t *to,
                             size_t room, struct etherws_opened *opened) {
  *opened = (struct etherws_opened){0};
  for (;;) {
    const uint8_t *header = from + opened->consumed;
    size_t left = length - opened->consumed;
    if (left < ETHERWS_RECORD_HEADER_BYTES) return 0;
    // After the handshake all records are encrypted, with application data as their outer type (RFC 8446, 5.2).
    if (header[0] != ETHERWS_APPLICATION_DATA) return -ETHERWS_UNEXPECTED_MESSAGE;
    size_t protected_bytes = (size_t)header[3] << 8 | header[4];
    if (protected_bytes > ETHERWS_MAX_CONTENT_BYTES + 256) return -ETHERWS_RECORD_OVERFLOW;
    if (protected_bytes < ETHERWS_TAG_BYTES) return -ETHERWS_BAD_RECORD_MAC;
    if (left - ETHERWS_RECORD_HEADER_BYTES < protected_bytes) return 0;
    size_t inner = protected_bytes - ETHERWS_TAG_BYTES;
    if (room - opened->produced < inner) return 0;
    uint8_t *content = to + opened->produced, nonce[ETHERWS_IV_BYTES];
    if (records->sequence == UINT64_MAX) return -ETHERWS_INTERNAL_ERROR;
    write_nonce(records, nonce);
    const uint8_t *sealed = header + ETHERWS_RECORD_HEADER_BYTES;
    if (!records->cipher->open(records->cipher, nonce, header, sealed, inner, content)) return -ETHERWS_BAD_RECORD_MAC;
    records->sequence++;
    if (inner > ETHERWS_MAX_CONTENT_BYTES + 1) return -ETHERWS_RECORD_OVERFLOW;
    // The type stands behind the content, and is followed by zeros only (RFC 8446, 5.4).
    while (inner > 0 && content[inner - 1] == 0) inner--;
    if (inner == 0) return -ETHERWS_UNEXPECTED_MESSAGE;
    uint8_t type = content[--inner];
    if (type != ETHERWS_APPLICATION_DATA || inner == 0) {
      if (++records->idle_records > ETHERWS_MAX_IDLE_RECORDS) return -ETHERWS_UNEXPECTED_MESSAGE;
    } else {
      records->idle_records = 0;
    }
    opened->consumed += ETHERWS_RECORD_HEADER_BYTES + protected_bytes;
    if (type == ETHERWS_APPLICATION_DATA) {
      opened->produced += inner;
      continue;
    }
    // Neither alerts nor handshake messages may be empty (RFC 8446, 5.1).
    if ((type != ETHERWS_ALERT && type != ETHERWS_HANDSHAKE) || inner == 0) return -ETHERWS_UNEXPECTED_MESSAGE;
    opened->content = inner;
    return type;
  }
}

size_t etherws_sealed_bytes(size_t length) {
  size_t records = (length + ETHERWS_MAX_CONTENT_BYTES - 1) / ETHERWS_MAX_CONTENT_BYTES;
  return length + records * ETHERWS_RECORD_OVERHEAD_BYTES;
}

static bool seal_record(struct etherws_tls_records *records, uint8_t type, const uint8_t *from, size_t length,
                        uint8_t *to) {
  size_t protected_bytes = length + 1 + ETHERWS_TAG_BYTES;
  uint8_t nonce[ETHERWS_IV_BYTES];
  to[0] = ETHERWS_APPLICATION_DATA;
  to[1] = 3;  // legacy_record_version: 0x0303 (RFC 8446, 5.1)
  to[2] = 3;
  to[3] = (uint8_t)(protected_bytes >> 8);
  to[4] = (uint8_t)protected_bytes;
  if (records->sequence == UINT64_MAX) return false;
  write_nonce(records, nonce);
  uint8_t *sealed = to + ETHERWS_RECORD_HEADER_BYTES;
  if (!records->cipher->seal(records->cipher, nonce, to, from, length, type, sealed)) return false;
  records->sequence++;
  return true;
}

size_t etherws_seal_tls_records(struct etherws_tls_records *records, uint8_t type, const uint8_t *from, size_t length,
                                uint8_t *to) {
  size_t sealed = 0;
  while (length > 0) {
    size_t content = length < ETHERWS_MAX_CONTENT_BYTES ? length : ETHERWS_MAX_CONTENT_BYTES;
    if (!seal_record(records, type, from, content, to + sealed)) return 0;
    sealed += content + ETHERWS_RECORD_OVERHEAD_BYTES;
    from += content;
    length -= content;
  }
  return sealed;
}
#endif
