#include "records.h"

#ifdef ETHERWS_HAS_RECORDS
#include <openssl/crypto.h>
#include <string.h>

// A Node that does not export these loads the addon all the same, and lacks only this.
#pragma weak EVP_CIPHER_CTX_new
#pragma weak EVP_CIPHER_CTX_free
#pragma weak EVP_CIPHER_CTX_ctrl
#pragma weak EVP_CipherInit_ex
#pragma weak EVP_CipherUpdate
#pragma weak EVP_CipherFinal_ex
#pragma weak EVP_aes_128_gcm
#pragma weak EVP_aes_256_gcm
#pragma weak EVP_chacha20_poly1305
#pragma weak OPENSSL_cleanse

bool etherws_has_tls_records(void) {
  return EVP_CIPHER_CTX_new && EVP_CIPHER_CTX_free && EVP_CIPHER_CTX_ctrl && EVP_CipherInit_ex && EVP_CipherUpdate &&
         EVP_CipherFinal_ex && EVP_aes_128_gcm && EVP_aes_256_gcm && EVP_chacha20_poly1305 && OPENSSL_cleanse;
}

static const EVP_CIPHER *cipher_of(enum etherws_suite suite) {
  switch (suite) {
    case ETHERWS_AES_128_GCM:
      return EVP_aes_128_gcm();
    case ETHERWS_AES_256_GCM:
      return EVP_aes_256_gcm();
    default:
      return EVP_chacha20_poly1305();
  }
}

size_t etherws_record_key_bytes(enum etherws_suite suite) { return suite == ETHERWS_AES_128_GCM ? 16 : 32; }

bool etherws_start_tls_records(struct etherws_tls_records *records, enum etherws_suite suite, const uint8_t *key,
                           const uint8_t *iv, uint64_t sequence, bool is_sealing) {
  *records = (struct etherws_tls_records){.sequence = sequence, .is_sealing = is_sealing};
  memcpy(records->iv, iv, sizeof records->iv);
  records->context = EVP_CIPHER_CTX_new();
  if (records->context != NULL &&
      EVP_CipherInit_ex(records->context, cipher_of(suite), NULL, key, NULL, is_sealing) == 1 &&
      EVP_CIPHER_CTX_ctrl(records->context, EVP_CTRL_AEAD_SET_IVLEN, ETHERWS_IV_BYTES, NULL) == 1) {
    return true;
  }
  etherws_end_tls_records(records);
  return false;
}

void etherws_end_tls_records(struct etherws_tls_records *records) {
  EVP_CIPHER_CTX_free(records->context);  // which cleanses the key
  OPENSSL_cleanse(records, sizeof *records);
}

// The nonce is the sequence number over the iv (5.3); the header is what is authenticated besides (5.2).
static bool begin_record(const struct etherws_tls_records *records, const uint8_t *header) {
  uint8_t nonce[ETHERWS_IV_BYTES];
  int unused;
  memcpy(nonce, records->iv, sizeof nonce);
  for (int i = 0; i < 8; i++) nonce[ETHERWS_IV_BYTES - 1 - i] ^= (uint8_t)(records->sequence >> (8 * i));
  return EVP_CipherInit_ex(records->context, NULL, NULL, NULL, nonce, records->is_sealing) == 1 &&
         EVP_CipherUpdate(records->context, NULL, &unused, header, ETHERWS_RECORD_HEADER_BYTES) == 1;
}

// Opens one record, whose protected octets lie behind its header. What comes out is one tag shorter.
static bool open_record(struct etherws_tls_records *records, const uint8_t *header, size_t length, uint8_t *to) {
  const uint8_t *from = header + ETHERWS_RECORD_HEADER_BYTES;
  size_t inner = length - ETHERWS_TAG_BYTES;
  int count, rest;
  return begin_record(records, header) && EVP_CipherUpdate(records->context, to, &count, from, (int)inner) == 1 &&
         EVP_CIPHER_CTX_ctrl(records->context, EVP_CTRL_AEAD_SET_TAG, ETHERWS_TAG_BYTES, (void *)(from + inner)) == 1 &&
         EVP_CipherFinal_ex(records->context, to + count, &rest) == 1;
}

int etherws_open_tls_records(struct etherws_tls_records *records, const uint8_t *from, size_t length, uint8_t *to, size_t room,
                         struct etherws_opened *opened) {
  *opened = (struct etherws_opened){0};
  for (;;) {
    const uint8_t *header = from + opened->consumed;
    size_t left = length - opened->consumed;
    if (left < ETHERWS_RECORD_HEADER_BYTES) return 0;
    // Behind the handshake all records are protected, and look like application data from outside.
    if (header[0] != ETHERWS_APPLICATION_DATA) return -ETHERWS_UNEXPECTED_MESSAGE;
    size_t protected = (size_t)header[3] << 8 | header[4];
    if (protected > ETHERWS_MAX_CONTENT_BYTES + 256) return -ETHERWS_RECORD_OVERFLOW;
    if (protected < ETHERWS_TAG_BYTES) return -ETHERWS_BAD_RECORD_MAC;
    if (left - ETHERWS_RECORD_HEADER_BYTES < protected) return 0;
    size_t inner = protected - ETHERWS_TAG_BYTES;
    if (room - opened->produced < inner) return 0;
    uint8_t *content = to + opened->produced;
    if (records->sequence == UINT64_MAX) return -ETHERWS_INTERNAL_ERROR;
    if (!open_record(records, header, protected, content)) return -ETHERWS_BAD_RECORD_MAC;
    records->sequence++;
    if (inner > ETHERWS_MAX_CONTENT_BYTES + 1) return -ETHERWS_RECORD_OVERFLOW;
    // The type stands behind the content, and behind it only zeros (5.4).
    while (inner > 0 && content[inner - 1] == 0) inner--;
    if (inner == 0) return -ETHERWS_UNEXPECTED_MESSAGE;
    uint8_t type = content[--inner];
    if (type != ETHERWS_APPLICATION_DATA || inner == 0) {
      if (++records->idle_records > ETHERWS_MAX_IDLE_RECORDS) return -ETHERWS_UNEXPECTED_MESSAGE;
    } else {
      records->idle_records = 0;
    }
    opened->consumed += ETHERWS_RECORD_HEADER_BYTES + protected;
    if (type == ETHERWS_APPLICATION_DATA) {
      opened->produced += inner;
      continue;
    }
    // Neither of them may be empty (5.1).
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
  size_t protected = length + 1 + ETHERWS_TAG_BYTES;
  uint8_t *at = to + ETHERWS_RECORD_HEADER_BYTES;
  int count;
  to[0] = ETHERWS_APPLICATION_DATA;
  to[1] = 3;  // 1.2, in name (5.1)
  to[2] = 3;
  to[3] = (uint8_t)(protected >> 8);
  to[4] = (uint8_t)protected;
  if (records->sequence == UINT64_MAX || !begin_record(records, to)) return false;
  if (EVP_CipherUpdate(records->context, at, &count, from, (int)length) != 1) return false;
  at += count;
  if (EVP_CipherUpdate(records->context, at, &count, &type, 1) != 1) return false;
  at += count;
  if (EVP_CipherFinal_ex(records->context, at, &count) != 1) return false;
  at += count;
  if (EVP_CIPHER_CTX_ctrl(records->context, EVP_CTRL_AEAD_GET_TAG, ETHERWS_TAG_BYTES, at) != 1) return false;
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
