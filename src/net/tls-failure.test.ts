import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeTlsFailure } from './tls-failure.ts';

test('failures of TLS in the words of the RFC, whatever the version of OpenSSL calls them', () => {
  for (const [code, words] of [
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'the peer broke TLS: bad_record_mac'],
    ['ERR_SSL_CIPHER_OPERATION_FAILED', 'the peer broke TLS: bad_record_mac'],
    ['ERR_SSL_BAD_RECORD_TYPE', 'the peer broke TLS: unexpected_message'],
    ['ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC', 'the peer ended TLS: bad_record_mac'],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC', 'the peer ended TLS: bad_record_mac'],
    ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'the peer ended TLS: internal_error'],
    ['ERR_SSL_LENGTH_MISMATCH', 'the peer broke TLS: length_mismatch'],
    ['EPROTO', 'the peer broke TLS'],
    ['ECONNRESET', undefined],
  ] as const) {
    assert.equal(describeTlsFailure(code), words);
  }
});
