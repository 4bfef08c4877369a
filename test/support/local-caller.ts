import { type Outcome, Process, run } from './process.ts';

/** Debian's uids of users without files and rights. */
export const NOBODY = 65_534;
export const DAEMON = 1;

export interface Reply {
  /** the status of HTTP; 0 without a response */
  readonly status: number;
  readonly body: string;
}

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort' });

/** The prefix of a command that runs as another user, only with the user's own group. */
export function asUser(uid: number): string[] {
  return uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

/** Calls a method of the control API by curl as a user of this host; without a body in the options, listPort. */
export async function curl(uid: number, url: string, ...options: readonly string[]): Promise<Reply> {
  return curlBy(asUser(uid), url, ...options);
}

/** The same with another prefix of the command. */
export async function curlBy(front: readonly string[], url: string, ...options: readonly string[]): Promise<Reply> {
  const body = options.includes('--data') ? [] : ['--data', LIST];
  const format = ['--silent', '--max-time', '20', '--write-out', '\n%{http_code}'];
  const { stdout } = await run([
    ...front,
    'curl',
    ...format,
    '-H',
    'Content-Type: application/json',
    ...body,
    ...options,
    url,
  ]);
  const cut = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(cut + 1)), body: stdout.slice(0, cut) };
}

/** Sends a whole request as a user, and closes the connection without waiting for the answer. */
export async function callAndClose(uid: number, port: number, body: string): Promise<Outcome> {
  const head = [
    'POST /ctl HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const script = 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf %s "$2" >&3; exec 3>&-';
  const request = `${head.join('\r\n')}\r\n\r\n${body}`;
  return new Process([...asUser(uid), 'bash', '-c', script, 'bash', String(port), request], { cwd: '/' }).exited;
}
