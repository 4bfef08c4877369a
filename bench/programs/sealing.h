/*
 * The minimal cost of TLS: records of TLS 1.3 with AES-128-GCM (RFC
 * 8446, 5.2), by the system's OpenSSL, with a key of zeros and without
 * a handshake.
 */
#include <openssl/evp.h>

enum {
  RECORD_HEADER_BYTES = 5,
  RECORD_TYPE_BYTES = 1,
  RECORD_TAG_BYTES = 16,
  RECORD_IV_BYTES = 12,
  RECORD_CONTENT_BYTES = 16 * 1024,
  RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + RECORD_TYPE_BYTES + RECORD_TAG_BYTES,
  APPLICATION_DATA = 23,
};

struct sealing {
  EVP_CIPHER_CTX *context;
  uint64_t sequence;
  int is_sealing;
};

static struct sealing start_sealing(int is_sealing) {
  static const unsigned char key[16];
  struct sealing sealing = {.context = EVP_CIPHER_CTX_new(), .is_sealing = is_sealing};
  if (sealing.context == NULL ||
      EVP_CipherInit_ex(sealing.context, EVP_aes_128_gcm(), NULL, key, NULL, is_sealing) != 1) {
    errx(1, "no AES-128-GCM");
  }
  return sealing;
}

static int begin_record(struct sealing *sealing, const unsigned char *header) {
  unsigned char iv[RECORD_IV_BYTES] = {0};
  int unused;
  memcpy(iv + sizeof iv - sizeof sealing->sequence, &sealing->sequence, sizeof sealing->sequence);
  sealing->sequence++;
  return EVP_CipherInit_ex(sealing->context, NULL, NULL, NULL, iv, sealing->is_sealing) == 1 &&
         EVP_CipherUpdate(sealing->context, NULL, &unused, header, RECORD_HEADER_BYTES) == 1;
}

/* Returns the length of the records in `to`. */
static size_t seal(struct sealing *sealing, const unsigned char *from, size_t length, unsigned char *to) {
  static const unsigned char type = APPLICATION_DATA;
  unsigned char *at = to;
  while (length > 0) {
    size_t content = length < RECORD_CONTENT_BYTES ? length : RECORD_CONTENT_BYTES;
    size_t behind_header = content + RECORD_TYPE_BYTES + RECORD_TAG_BYTES;
    unsigned char *tag = at + RECORD_HEADER_BYTES + content + RECORD_TYPE_BYTES;
    int count;
    memcpy(at, (unsigned char[]){type, 3, 3, (unsigned char)(behind_header >> 8), (unsigned char)behind_header}, 5);
    if (!begin_record(sealing, at) ||
        EVP_CipherUpdate(sealing->context, at + RECORD_HEADER_BYTES, &count, from, (int)content) != 1 ||
        EVP_CipherUpdate(sealing->context, tag - RECORD_TYPE_BYTES, &count, &type, RECORD_TYPE_BYTES) != 1 ||
        EVP_CipherFinal_ex(sealing->context, tag, &count) != 1 ||
        EVP_CIPHER_CTX_ctrl(sealing->context, EVP_CTRL_AEAD_GET_TAG, RECORD_TAG_BYTES, tag) != 1) {
      errx(1, "a record cannot be sealed");
    }
    from += content;
    length -= content;
    at = tag + RECORD_TAG_BYTES;
  }
  return (size_t)(at - to);
}

/* Opens the complete records of `from`. Returns the length of their contents, and in `used` that of the records. */
static size_t unseal(struct sealing *sealing, const unsigned char *from, size_t length, unsigned char *to, size_t *used) {
  unsigned char *at = to;
  *used = 0;
  while (length - *used >= RECORD_HEADER_BYTES) {
    const unsigned char *header = from + *used, *body = header + RECORD_HEADER_BYTES;
    size_t behind_header = (size_t)header[3] << 8 | header[4];
    size_t inner = behind_header - RECORD_TAG_BYTES;
    int count;
    if (header[0] != APPLICATION_DATA || behind_header <= RECORD_TYPE_BYTES + RECORD_TAG_BYTES) errx(1, "no record");
    if (length - *used < RECORD_HEADER_BYTES + behind_header) break;
    if (!begin_record(sealing, header) || EVP_CipherUpdate(sealing->context, at, &count, body, (int)inner) != 1 ||
        EVP_CIPHER_CTX_ctrl(sealing->context, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG_BYTES, (void *)(body + inner)) != 1 ||
        EVP_CipherFinal_ex(sealing->context, at + count, &count) != 1) {
      errx(1, "a record cannot be opened");
    }
    at += inner - RECORD_TYPE_BYTES;
    *used += RECORD_HEADER_BYTES + behind_header;
  }
  return (size_t)(at - to);
}
