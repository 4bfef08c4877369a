import { codeOf, EtherwsError } from '../errors.ts';
import { explainConnectError } from '../net/connect-errors.ts';
import { CONTROL_TRUST_OPTIONS, explainTlsError } from '../net/tls-errors.ts';
import { type ControlAddress, controlFailure } from './control-address.ts';
import { ControlError } from './control-answer.ts';

/** Explains why a call got no response. This module is loaded only after a failure. */
export function explainCallFailure(error: unknown, address: ControlAddress): Error {
  if (error instanceof EtherwsError || error instanceof ControlError) return error;
  const { isTls, host, port, socketPath } = address;
  if (socketPath !== undefined) return explainSocketError(error, socketPath) ?? notHttp(error, address);
  const ofTls = isTls ? explainTlsError(error, host, CONTROL_TRUST_OPTIONS) : undefined;
  const known = ofTls ?? explainConnectError(error, host, port);
  const hint = HINTS[codeOf(error)];
  if (known !== undefined && hint !== undefined && known.code === 'CONNECTION_REFUSED') {
    return new EtherwsError(known.code, known.message, { cause: error, hint });
  }
  return known ?? notHttp(error, address);
}

/** Hints that are more specific than those of a tunnel. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Is the switch running? Start it with: etherws sw; else check --ctlurl',
  ECONNRESET: 'If the control API has a certificate, write https:// in --ctlurl; else check the port number there',
};

function notHttp(error: unknown, address: ControlAddress): EtherwsError {
  const hint = address.isTls || address.socketPath !== undefined ? 'Check --ctlurl' : 'Try https://';
  return controlFailure(address, 'does not speak HTTP', hint, error);
}

function explainSocketError(error: unknown, path: string): EtherwsError | undefined {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    const hint = 'Call it as root (sudo) or as the user of the switch; --ctlgroup GROUP lets a group in';
    return new EtherwsError('PERMISSION_DENIED', `This user may not open the socket "${path}"`, { cause: error, hint });
  }
  if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTSOCK' && code !== 'ENOTDIR') return undefined;
  const hint = 'Is the switch running, with --ctlsocket? Else check --ctlurl';
  return new EtherwsError('CONNECTION_REFUSED', `Nothing listens at "${path}"`, { cause: error, hint });
}
