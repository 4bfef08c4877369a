import { codeOf, type ErrorCode, EtherwsError } from '../errors.ts';
import { alertOfReason } from './tls-failure.ts';

/** How to name the options about trust in a hint: `ctl addport client` and `ctl` itself have different ones. */
export interface TrustOptionNames {
  /** the option for certificates to trust, such as `--cacerts FILE` */
  readonly trust: string;
  /** the option that turns verification off, such as `--insecure` */
  readonly insecure: string;
}

/** The options of `etherws ctl addport client`. */
export const CLIENT_TRUST_OPTIONS: TrustOptionNames = { trust: '--cacerts FILE', insecure: '--insecure' };
/** The options of `etherws ctl` itself. */
export const CONTROL_TRUST_OPTIONS: TrustOptionNames = { trust: '--ctlsslcert FILE', insecure: '--ctlinsecure' };

/**
 * Explains a failure of the TLS handshake or of the peer's verification. Only for
 * TLS connections: a reset counts as a failure of the handshake.
 * @param host the dialled name or address, as the user wrote it
 * @returns undefined for an error that is not of TLS
 */
export function explainTlsError(error: unknown, host: string, names: TrustOptionNames): EtherwsError | undefined {
  const problem = certificateProblem(codeOf(error), error, host, names) ?? handshakeProblem(error, host);
  if (problem === undefined) return undefined;
  return new EtherwsError(problem.code, problem.message, { cause: error, hint: problem.hint });
}

interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Errors of OpenSSL's chain verification (X509_V_ERR_*) and of Node's name check. */
function certificateProblem(code: string, error: unknown, host: string, names: TrustOptionNames): Problem | undefined {
  const trust = (file: string): string =>
    `If it is the right one, trust it with ${names.trust}, where FILE holds ${file}; ${names.insecure} verifies nothing`;
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return {
        code: 'CERTIFICATE_UNTRUSTED',
        message: `The certificate of ${host} is self-signed and not trusted here`,
        hint: trust('that certificate'),
      };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return {
        code: 'CERTIFICATE_UNTRUSTED',
        message: `The certificate of ${host} comes from an authority that is not trusted here`,
        hint: trust('the certificate of that authority'),
      };
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_UNTRUSTED':
    case 'CERT_REJECTED':
      return {
        code: 'CERTIFICATE_UNTRUSTED',
        message: `The issuer of the certificate of ${host} is unknown here`,
        hint: `${trust('the certificate of the issuer')}. A server must also send its intermediate certificates`,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return {
        code: 'CERTIFICATE_NAME_MISMATCH',
        message: `The certificate is not for ${host}${issuedFor(error)}`,
        hint: `Dial a name that the certificate holds, or give the server a certificate with the subjectAltName ${host}; ${names.insecure} verifies nothing`,
      };
    case 'CERT_HAS_EXPIRED':
      return {
        code: 'CERTIFICATE_INVALID',
        message: `The certificate of ${host}, or one of its issuers, has expired`,
        hint: 'Renew it on the server; if it is valid there, check the clock of this host',
      };
    case 'CERT_NOT_YET_VALID':
      return {
        code: 'CERTIFICATE_INVALID',
        message: `The certificate of ${host}, or one of its issuers, is not valid yet`,
        hint: 'Check the clocks of both hosts',
      };
    case 'CERT_REVOKED':
      return {
        code: 'CERTIFICATE_INVALID',
        message: `The certificate of ${host} was revoked`,
        hint: 'Install a new certificate on the server',
      };
    case 'INVALID_CA':
    case 'INVALID_PURPOSE':
    case 'PATH_LENGTH_EXCEEDED':
    case 'CERT_CHAIN_TOO_LONG':
    case 'CERT_SIGNATURE_FAILURE':
    case 'CRL_SIGNATURE_FAILURE':
    case 'UNABLE_TO_DECRYPT_CERT_SIGNATURE':
    case 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY':
    case 'ERROR_IN_CERT_NOT_BEFORE_FIELD':
    case 'ERROR_IN_CERT_NOT_AFTER_FIELD':
    case 'UNSPECIFIED':
      return {
        code: 'CERTIFICATE_INVALID',
        message: `The certificate of ${host} cannot be used for a server (${code})`,
        hint: `Look at it with: openssl s_client -connect ${host}:PORT -showcerts`,
      };
    default:
      return undefined;
  }
}

/** Failures of the handshake (RFC 8446, 6.2), by OpenSSL's reason. */
function handshakeProblem(error: unknown, host: string): Problem | undefined {
  const code = codeOf(error);
  const failed = (message: string, hint: string): Problem => ({ code: 'TLS_FAILED', message, hint });
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return failed(
      `${host} closed the connection during the TLS handshake`,
      'Check that the port speaks TLS, and that both sides have a TLS version in common (1.2 or later)',
    );
  }
  const reason = opensslReason(error, code);
  if (reason === undefined) return undefined;
  if (reason.includes('NO_APPLICATION_PROTOCOL')) {
    return failed(
      `${host} speaks no HTTP/1.1 on this port, perhaps only HTTP/2`,
      'Allow HTTP/1.1 there (ALPN http/1.1): WebSockets begin with its Upgrade',
    );
  }
  const alert = alertOfReason(reason);
  if (alert !== undefined) {
    return failed(
      `The connection with ${host} broke TLS: ${alert}`,
      'What arrived is not what was sent: something on the way damages it, or the program at the other end is broken',
    );
  }
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|RECORD_LAYER_FAILURE/.test(reason)) {
    return failed(
      `${host} does not speak TLS on this port`,
      'If the service has no certificate, use ws:// or http:// instead of wss:// or https://; else check the port number',
    );
  }
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW/.test(reason)) {
    return failed(`${host} and this host have no TLS version in common`, 'TLS 1.2 or later is needed on both sides');
  }
  if (/CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_EXPIRED/.test(reason)) {
    return failed(
      `${host} refused the certificate of this side (${reason})`,
      'It asks for a client certificate that it trusts',
    );
  }
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_CIPHERS/.test(reason)) {
    return failed(`${host} and this host have no cipher in common`, 'Check the cipher settings of the server');
  }
  if (/UNRECOGNIZED_NAME/.test(reason)) {
    return failed(`The server does not know the name ${host}`, 'Dial the name under which it is configured');
  }
  if (/KEY_TOO_SMALL|MD_TOO_WEAK/.test(reason)) {
    return failed(
      `The certificate of ${host} is too weak (${reason})`,
      'Give the server a key of at least 2048 bits (RSA) or 256 bits (EC) and a SHA-2 signature',
    );
  }
  return failed(`The TLS handshake with ${host} failed (${reason})`, `Try: openssl s_client -connect ${host}:PORT`);
}

/**
 * OpenSSL's reason in the form `WRONG_VERSION_NUMBER`; undefined for other errors.
 * Depending on the path, Node puts it into `code`, or sets `code` to EPROTO and
 * puts it into `reason` or at the end of the message.
 */
function opensslReason(error: unknown, code: string): string | undefined {
  if (code.startsWith('ERR_SSL_')) return code.slice('ERR_SSL_'.length);
  if (code.startsWith('ERR_TLS_')) return code.slice('ERR_TLS_'.length);
  if (code !== 'EPROTO' || !(error instanceof Error)) return undefined;
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : undefined;
  const text = reason ?? /:SSL routines:[^:]*:([^:\n]+)/.exec(error.message)?.[1] ?? code;
  return text.trim().toUpperCase().replaceAll(' ', '_');
}

/** ` but for a, b`: the names of the certificate that Node attaches to a name mismatch. */
function issuedFor(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('cert' in error)) return '';
  const certificate = error.cert;
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate)) return '';
  const names = certificate.subjectaltname;
  if (typeof names !== 'string') return '';
  const shown = names.replaceAll(/(DNS|IP Address):/g, '');
  return ` but for ${shown.length > 200 ? `${shown.slice(0, 200)}...` : shown}`;
}
