import type { ControlCaller, Terminal } from './terminal.ts';

/** Limit of the time that Tab may take. */
const PATIENCE_MS = 500;

/**
 * The names of the running switch's ports, and the numbers of ports without a name.
 * @param words the command line, whose options say which switch it is
 */
export async function listPorts(words: readonly string[], terminal: Terminal): Promise<string[]> {
  const { entries } = await (await openSwitch(words, terminal)).call('listPort', {});
  return safeWords(entries.map(({ port, name }) => name ?? String(port)));
}

/** The names of the running switch's networks. @param words as above */
export async function listNetworks(words: readonly string[], terminal: Terminal): Promise<string[]> {
  const { entries } = await (await openSwitch(words, terminal)).call('listNet', {});
  return safeWords(entries.map(({ network }) => network));
}

/** The shell inserts these words into a command line, so a malicious switch must not be able to insert commands. */
function safeWords(words: readonly string[]): string[] {
  return words.filter((word) => /^[\w.-]+$/.test(word));
}

/** It does not prompt: without a password in the options or the environment it sends none. */
async function openSwitch(words: readonly string[], terminal: Terminal): Promise<ControlCaller> {
  const { env } = terminal;
  const given = (flag: string): string | undefined => {
    const at = words.lastIndexOf(flag);
    const joined = words.findLast((word) => word.startsWith(`${flag}=`));
    return joined?.slice(flag.length + 1) ?? (at < 0 ? undefined : words[at + 1]);
  };
  const url = given('--ctlurl') ?? (env.ETHERWS_CTLURL || undefined);
  const user = given('--ctluser') ?? (env.ETHERWS_CTLUSER || undefined);
  const passwd = given('--ctlpasswd') ?? (await passwordIn(given('--ctlpasswd-file'))) ?? env.ETHERWS_CTL_PASSWD;
  const authority = given('--ctlsslcert');
  const { readCaCerts } = await import('../auth/certificate-file.ts');
  return terminal.openControl({
    ...(url === undefined ? {} : { url }),
    ...(user === undefined || passwd === undefined ? {} : { user, passwd }),
    ...(authority === undefined ? {} : { ca: await readCaCerts(authority) }),
    isInsecure: words.includes('--ctlinsecure'),
    timeoutMs: PATIENCE_MS,
  });
}

async function passwordIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const { readPasswordFile } = await import('../auth/password-file.ts');
  return readPasswordFile(file, () => undefined);
}
