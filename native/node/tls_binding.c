// TLS records as src/native/tls.ts types them.
#include <stdlib.h>

#include "../datapath/tls_records.h"
#include "bindings.h"
#include "environment.h"
#include "values.h"

#ifdef ETHERWS_HAS_CIPHERS

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  etherws_end_tls_records(data);
  free(data);
}

// chooseAes(mayUseLibrary) chooses AES-GCM for keys that start from now on: ipsec-mb, if that is permitted and loaded;
// else OpenSSL. Returns the version of ipsec-mb, or null for OpenSSL.
static napi_value choose_aes(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  bool may_use_library;
  if (!take_arguments(env, info, &argument, 1) || !take_bool(env, argument, &may_use_library)) return NULL;
  host_of(env)->is_openssl_wanted = !may_use_library;
  const struct etherws_ipsec_mb *library = may_use_library ? etherws_load_ipsec_mb() : NULL;
  if (library == NULL) {
    CHECK_NAPI(env, napi_get_null(env, &result));
    return result;
  }
  char version[16];
  etherws_ipsec_mb_version(library, version, sizeof version);
  CHECK_NAPI(env, napi_create_string_utf8(env, version, NAPI_AUTO_LENGTH, &result));
  return result;
}

// startTlsRecords(suite, key, iv, sequence, isSealing) returns one direction of a connection under one key.
static napi_value start_records(napi_env env, napi_callback_info info) {
  napi_value arguments[5], external;
  int32_t suite, sequence;
  uint8_t *key, *iv;
  size_t key_size, iv_size;
  bool is_sealing;
  if (!take_arguments(env, info, arguments, 5) || !take_int32(env, arguments[0], &suite) ||
      !take_octets(env, arguments[1], &key, &key_size) || !take_octets(env, arguments[2], &iv, &iv_size) ||
      !take_int32(env, arguments[3], &sequence) || !take_bool(env, arguments[4], &is_sealing)) {
    return NULL;
  }
  if (suite < 0 || suite >= ETHERWS_SUITES || sequence < 0 || iv_size != ETHERWS_IV_BYTES ||
      key_size != etherws_key_bytes((enum etherws_suite)suite)) {
    napi_throw_range_error(env, NULL, "unknown cipher suite, or a key, IV or sequence number that does not fit it");
    return NULL;
  }
  const struct etherws_ipsec_mb *library = host_of(env)->is_openssl_wanted ? NULL : etherws_load_ipsec_mb();
  struct etherws_tls_records *records = malloc(sizeof *records);
  if (records == NULL || !etherws_start_tls_records(records, (enum etherws_suite)suite, key, iv, (uint64_t)sequence,
                                                    is_sealing, library)) {
    free(records);
    napi_throw_error(env, NULL, "the cipher is not available");
    return NULL;
  }
  if (napi_create_external(env, records, on_collected, NULL, &external) != napi_ok) {
    on_collected(env, records, NULL);
    return throw_napi_failure(env);
  }
  return external;
}

// endTlsRecords(records) wipes the key at once, not when the object is collected.
static napi_value end_records(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct etherws_tls_records *records;
  if (!take_arguments(env, info, &argument, 1)) return NULL;
  CHECK_NAPI(env, napi_get_value_external(env, argument, (void **)&records));
  etherws_end_tls_records(records);
  return NULL;
}

// countTlsRecords(records) returns the sequence number of the next record under this key.
static napi_value count_records(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  struct etherws_tls_records *records;
  if (!take_arguments(env, info, &argument, 1)) return NULL;
  CHECK_NAPI(env, napi_get_value_external(env, argument, (void **)&records));
  CHECK_NAPI(env, napi_create_double(env, (double)records->sequence, &result));
  return result;
}

napi_value init_tls(napi_env env, napi_value exports) {
  static const struct export functions[] = {
      {"chooseAes", choose_aes},
      {"startTlsRecords", start_records},
      {"endTlsRecords", end_records},
      {"countTlsRecords", count_records},
  };
  if (!etherws_has_ciphers()) return exports;
  return add_exports(env, exports, functions, sizeof functions / sizeof *functions);
}

#else

napi_value init_tls(napi_env env, napi_value exports) {
  (void)env;
  return exports;
}

#endif
