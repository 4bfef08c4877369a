import type { Terminal } from './terminal.ts';

/** Limit of the time that Tab may take. */
const PATIENCE_MS = 500;

/**
 * The names of the running switch's ports, and the numbers of ports without a name. It does not prompt: without a
 * password in the options or the environment it sends none.
 * @param words the command line, whose options say which switch it is
 */
export async function listPorts(words: readonly string[], terminal: Terminal): Promise<string[]> {
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
  const client = await terminal.openControl({
    ...(url === undefined ? {} : { url }),
    ...(user === undefined || passwd === undefined ? {} : { user, passwd }),
    ...(authority === undefined ? {} : { ca: await readCaCerts(authority) }),
    isInsecure: words.includes('--ctlinsecure'),
    timeoutMs: PATIENCE_MS,
  });
  const { entries } = await client.call('listPort', {});
  // The shell inserts these words into a command line, so a malicious switch must not be able to insert commands.
  return entries.map(({ port, name }) => name ?? String(port)).filter((word) => /^[\w.-]+$/.test(word));
}

async function passwordIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const { readPasswordFile } = await import('../auth/password-file.ts');
  return readPasswordFile(file, () => undefined);
}
