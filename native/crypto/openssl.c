#include "openssl.h"

#ifdef ETHERWS_HAS_CIPHERS
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

// Weak symbols: a Node that does not export them loads the addon as well, and only lacks these ciphers.
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

struct openssl_cipher {
  struct etherws_cipher cipher;
  EVP_CIPHER_CTX *context;
};

bool etherws_has_openssl(void) {
  return EVP_CIPHER_CTX_new && EVP_CIPHER_CTX_free && EVP_CIPHER_CTX_ctrl && EVP_CipherInit_ex && EVP_CipherUpdate &&
         EVP_CipherFinal_ex && EVP_aes_128_gcm && EVP_aes_256_gcm && EVP_chacha20_poly1305 && OPENSSL_cleanse;
}

static const EVP_CIPHER *cipher_of(enum etherws_suite suite) {
  switch (suite) {
    case ETHERWS_AES_128_GCM: return EVP_aes_128_gcm();
    case ETHERWS_AES_256_GCM: return EVP_aes_256_gcm();
    default: return EVP_chacha20_poly1305();
  }
}

static bool begin(EVP_CIPHER_CTX *context, const uint8_t *nonce, const uint8_t *header, bool is_sealing) {
  int unused;
  return EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, is_sealing) == 1 &&
         EVP_CipherUpdate(context, NULL, &unused, header, ETHERWS_RECORD_HEADER_BYTES) == 1;
}

static bool seal_content(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header,
                         const uint8_t *from, size_t length, uint8_t type, uint8_t *to) {
  EVP_CIPHER_CTX *context = ((struct openssl_cipher *)cipher)->context;
  int count;
  if (!begin(context, nonce, header, true)) return false;
  if (EVP_CipherUpdate(context, to, &count, from, (int)length) != 1) return false;
  to += count;
  if (EVP_CipherUpdate(context, to, &count, &type, 1) != 1) return false;
  to += count;
  if (EVP_CipherFinal_ex(context, to, &count) != 1) return false;
  to += count;
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, ETHERWS_TAG_BYTES, to) == 1;
}

static bool open_content(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header,
                         const uint8_t *from, size_t length, uint8_t *to) {
  EVP_CIPHER_CTX *context = ((struct openssl_cipher *)cipher)->context;
  int count, rest;
  return begin(context, nonce, header, false) && EVP_CipherUpdate(context, to, &count, from, (int)length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, ETHERWS_TAG_BYTES, (void *)(from + length)) == 1 &&
         EVP_CipherFinal_ex(context, to + count, &rest) == 1;
}

static void forget_key(struct etherws_cipher *cipher) {
  EVP_CIPHER_CTX_free(((struct openssl_cipher *)cipher)->context);  // wipes the key
  free(cipher);
}

struct etherws_cipher *etherws_new_openssl_cipher(enum etherws_suite suite, const uint8_t *key, bool is_sealing) {
  struct openssl_cipher *made = malloc(sizeof *made);
  if (made == NULL) return NULL;
  *made = (struct openssl_cipher){.cipher = {seal_content, open_content, forget_key}, .context = EVP_CIPHER_CTX_new()};
  if (made->context != NULL && EVP_CipherInit_ex(made->context, cipher_of(suite), NULL, key, NULL, is_sealing) == 1 &&
      EVP_CIPHER_CTX_ctrl(made->context, EVP_CTRL_AEAD_SET_IVLEN, ETHERWS_IV_BYTES, NULL) == 1) {
    return &made->cipher;
  }
  forget_key(&made->cipher);
  return NULL;
}
#endif
