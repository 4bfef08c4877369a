import { type BigIntStats, existsSync } from 'node:fs';
import { DEFAULT_BCRYPT_COST, hashPassword } from '../auth/hash-password.ts';
import { canBeUser, hasEntry, removeEntry, setEntry } from '../auth/htpasswd-edit.ts';
import { askNewPassword } from '../auth/password.ts';
import { EtherwsError } from '../errors.ts';
import { replaceFile } from '../runtime/replace-file.ts';
import { readUserFile } from '../runtime/user-file.ts';
import { Command, InvalidArgumentError } from './commander.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MIN_COST = 4;
const MAX_COST = 17;

const EXAMPLES = `
Examples:
  $ etherws passwd --create /etc/etherws/htpasswd alice
  $ etherws passwd /etc/etherws/htpasswd bob < password.txt
  $ etherws passwd --delete /etc/etherws/htpasswd bob

A running switch reads the file again by itself.`;

interface PasswdOptions {
  readonly create?: true;
  readonly delete?: true;
  readonly cost?: number;
}

/** `etherws passwd`: creates and changes htpasswd files, for hosts without Apache's tool. */
export function passwdCommand(terminal: Pick<Terminal, 'print'>, ask: () => Promise<string> = askNewPassword): Command {
  return new Command('passwd')
    .description('set the password of a user in an htpasswd file; asks for it, or reads it from standard input')
    .argument('<FILE>', 'what --htpasswd and --ctlhtpasswd name')
    .argument('<USER>', 'a user, new or known')
    .option('-c, --create', 'make the file if it is not there')
    .option('-D, --delete', 'remove the user instead')
    .option(
      '-C, --cost <N>',
      `bcrypt cost, ${MIN_COST} to ${MAX_COST}: each step doubles the work of a login`,
      readCost,
    )
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, user: string, options: PasswdOptions) => {
      if (options.delete === true && options.create === true) {
        throw new UsageError('--create and --delete exclude each other');
      }
      if (!canBeUser(user)) {
        const hint = 'It has no colon, no control characters, no space at its ends, no # in front, and is not empty';
        throw new UsageError(`${JSON.stringify(user)} cannot be the name of a user`, hint);
      }
      const did = options.delete === true ? await remove(file, user) : await set(file, user, options, ask);
      terminal.print(`${did}\n`);
    });
}

async function set(file: string, user: string, options: PasswdOptions, ask: () => Promise<string>): Promise<string> {
  if (!existsSync(file) && options.create !== true) {
    throw new EtherwsError('FILE_UNREADABLE', `There is no file ${file}`, { hint: 'Make it with --create' });
  }
  // Read before the prompt, so that a bad file is reported at once; read again after it, since another process may have written it.
  if (existsSync(file)) await read(file);
  const hash = await hashPassword(await ask(), options.cost ?? DEFAULT_BCRYPT_COST);
  const { text, stats } = existsSync(file) ? await read(file) : { text: '', stats: undefined };
  await replaceFile(file, setEntry(text, user, hash), stats);
  return hasEntry(text, user) ? `Changed the password of ${user} in ${file}` : `Added ${user} to ${file}`;
}

async function remove(file: string, user: string): Promise<string> {
  const { text, stats } = await read(file);
  if (!hasEntry(text, user)) throw new EtherwsError('ARGUMENT_INVALID', `There is no user ${user} in ${file}`);
  await replaceFile(file, removeEntry(text, user), stats);
  return `Removed ${user} from ${file}`;
}

async function read(file: string): Promise<{ text: string; stats: BigIntStats }> {
  const { text, stats } = await readUserFile(file, MAX_FILE_BYTES);
  if (!text.includes('\uFFFD')) return { text, stats };
  throw new EtherwsError('HTPASSWD_INVALID', `${file} is not UTF-8 and would be damaged`, {
    hint: `Convert it: iconv -f latin1 -t utf-8 ${file}`,
  });
}

function readCost(text: string): number {
  const cost = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (cost >= MIN_COST && cost <= MAX_COST) return cost;
  throw new InvalidArgumentError(`It must be ${MIN_COST} to ${MAX_COST}.`);
}
