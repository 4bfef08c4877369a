#include "ipsec_mb.h"

#include "aead.h"

#if defined ETHERWS_HAS_CIPHERS && defined __x86_64__ && __has_include(<intel-ipsec-mb.h>)
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <link.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#pragma weak OPENSSL_cleanse
#pragma weak CRYPTO_memcmp

// The functions for one length of keys.
struct functions {
  aes_gcm_pre_t expand;
  aes_gcm_init_t begin;
  aes_gcm_enc_dec_update_t seal_some;
  aes_gcm_enc_dec_finalize_t end_seal;
  aes_gcm_enc_dec_t open;
};

struct etherws_ipsec_mb {
  unsigned version;
  struct functions of_128;
  struct functions of_256;
};

struct ipsec_mb_cipher {
  struct etherws_cipher cipher;
  const struct functions *functions;
  struct gcm_key_data key;  // must be 64-byte aligned
};

enum { ALIGNMENT = 64 };

// Written once, by etherws_load_ipsec_mb.
static struct etherws_ipsec_mb library;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Unmaps the resident pages of the file that contains `code`. Pages that are used again are read from the page cache.
static int forget_pages(struct dl_phdr_info *file, size_t size, void *code) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), wanted = (uintptr_t)code;
  bool is_it = false;
  (void)size;
  for (int i = 0; i < file->dlpi_phnum; i++) {
    uintptr_t start = file->dlpi_addr + file->dlpi_phdr[i].p_vaddr;
    is_it |= file->dlpi_phdr[i].p_type == PT_LOAD && wanted >= start && wanted < start + file->dlpi_phdr[i].p_memsz;
  }
  for (int i = 0; is_it && i < file->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &file->dlpi_phdr[i];
    uintptr_t start = file->dlpi_addr + part->p_vaddr, from = start / page * page;
    // Writable pages have the process's own content, which cannot be read from the file again.
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
    madvise((void *)from, start + part->p_memsz - from, MADV_DONTNEED);
  }
  return is_it;
}

// Whether AES-GCM of this library is used on this processor: it has AVX2 at least, since with less the library was not
// measured, and the self-test of the library has passed.
static bool is_worthy(const IMB_MGR *manager, IMB_ARCH architecture) {
  return architecture >= IMB_ARCH_AVX2 && manager->imb_errno == 0 &&
         (manager->features & IMB_FEATURE_SELF_TEST_PASS) != 0;
}

static void load(void) {
  char name[32];
  (void)snprintf(name, sizeof name, "libIPSec_MB.so.%u", IMB_VERSION_NUM >> 16);
  void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return;
  unsigned (*version_of)(void) = (unsigned (*)(void))dlsym(handle, "imb_get_version");
  IMB_MGR *(*allocate)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(handle, "alloc_mb_mgr");
  void (*initialize)(IMB_MGR *, IMB_ARCH *) = (void (*)(IMB_MGR *, IMB_ARCH *))dlsym(handle, "init_mb_mgr_auto");
  void (*release)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(handle, "free_mb_mgr");
  if (version_of == NULL || allocate == NULL || initialize == NULL || release == NULL) return;
  // A later version of the same soname has all functions of this build, an earlier one may lack some.
  if (version_of() < IMB_VERSION_NUM) return;
  IMB_MGR *manager = allocate(0);
  IMB_ARCH architecture = IMB_ARCH_NONE;
  if (manager == NULL) return;
  initialize(manager, &architecture);
  if (is_worthy(manager, architecture)) {
    library.of_128 = (struct functions){manager->gcm128_pre, manager->gcm128_init, manager->gcm128_enc_update,
                                        manager->gcm128_enc_finalize, manager->gcm128_dec};
    library.of_256 = (struct functions){manager->gcm256_pre, manager->gcm256_init, manager->gcm256_enc_update,
                                        manager->gcm256_enc_finalize, manager->gcm256_dec};
    library.version = version_of();
  }
  // The manager holds jobs of many buffers, which these functions do not use.
  release(manager);
  // The self-test has touched the whole file of the library: 3 MiB, which are not needed again.
  dl_iterate_phdr(forget_pages, (void *)allocate);
}

const struct etherws_ipsec_mb *etherws_load_ipsec_mb(void) {
  if (OPENSSL_cleanse == NULL || CRYPTO_memcmp == NULL || pthread_once(&once, load) != 0) return NULL;
  return library.version == 0 ? NULL : &library;
}

void etherws_ipsec_mb_version(const struct etherws_ipsec_mb *loaded, char *text, size_t size) {
  (void)snprintf(text, size, "%u.%u.%u", loaded->version >> 16, loaded->version >> 8 & 0xff, loaded->version & 0xff);
}

static bool seal_content(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header,
                         const uint8_t *from, size_t length, uint8_t type, uint8_t *to) {
  const struct ipsec_mb_cipher *this = (struct ipsec_mb_cipher *)cipher;
  const struct functions *functions = this->functions;
  struct gcm_context_data context;
  functions->begin(&this->key, &context, nonce, header, ETHERWS_RECORD_HEADER_BYTES);
  functions->seal_some(&this->key, &context, to, from, length);
  functions->seal_some(&this->key, &context, to + length, &type, 1);
  functions->end_seal(&this->key, &context, to + length + 1, ETHERWS_TAG_BYTES);
  return true;
}

static bool open_content(struct etherws_cipher *cipher, const uint8_t *nonce, const uint8_t *header,
                         const uint8_t *from, size_t length, uint8_t *to) {
  const struct ipsec_mb_cipher *this = (struct ipsec_mb_cipher *)cipher;
  struct gcm_context_data context;
  uint8_t tag[ETHERWS_TAG_BYTES];
  this->functions->open(&this->key, &context, to, from, length, nonce, header, ETHERWS_RECORD_HEADER_BYTES, tag,
                        sizeof tag);
  return CRYPTO_memcmp(tag, from + length, sizeof tag) == 0;
}

static void forget_key(struct etherws_cipher *cipher) {
  OPENSSL_cleanse(cipher, sizeof(struct ipsec_mb_cipher));
  free(cipher);
}

struct etherws_cipher *etherws_new_ipsec_mb_cipher(const struct etherws_ipsec_mb *loaded, const uint8_t *key,
                                                   size_t key_bytes) {
  size_t size = (sizeof(struct ipsec_mb_cipher) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  struct ipsec_mb_cipher *made = aligned_alloc(ALIGNMENT, size);
  if (made == NULL) return NULL;
  made->cipher = (struct etherws_cipher){seal_content, open_content, forget_key};
  made->functions = key_bytes == 16 ? &loaded->of_128 : &loaded->of_256;
  made->functions->expand(key, &made->key);
  return &made->cipher;
}

#else

const struct etherws_ipsec_mb *etherws_load_ipsec_mb(void) { return NULL; }

void etherws_ipsec_mb_version(const struct etherws_ipsec_mb *loaded, char *text, size_t size) {
  (void)loaded;
  if (size > 0) text[0] = '\0';
}

struct etherws_cipher *etherws_new_ipsec_mb_cipher(const struct etherws_ipsec_mb *loaded, const uint8_t *key,
                                                   size_t key_bytes) {
  (void)loaded;
  (void)key;
  (void)key_bytes;
  return NULL;
}

#endif
