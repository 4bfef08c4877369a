import { describeTlsFailure } from '../../net/tls-failure.ts';

/** The reason of a lost connection, as listport shows it. @param failure the transport's error */
export function describeFailure(failure: Error): string {
  const code = 'code' in failure ? String(failure.code) : '';
  switch (code) {
    case 'ECONNRESET':
      return 'connection reset by peer';
    case 'EPIPE':
      return 'connection closed by peer while sending';
    case 'ETIMEDOUT':
      return 'connection timed out';
    case 'ENOMEM':
      return 'no room for its messages (--max-buffers)';
    default:
      return describeTlsFailure(code) ?? firstLine(failure.message);
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}
