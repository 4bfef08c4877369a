import { EtherwsError } from '../../errors.ts';

const MAX_NAME_BYTES = 15;

/**
 * Checks the name of a network device as the kernel would, so that the answer
 * is a sentence and not EINVAL.
 * @param mayBePattern whether one `%d`, for which the kernel puts a number, or no name at all is allowed
 * @throws EtherwsError ARGUMENT_INVALID
 */
export function checkDeviceName(name: string, mayBePattern: boolean): string {
  const problem = problemOf(name, mayBePattern);
  if (problem === undefined) return name;
  throw new EtherwsError('ARGUMENT_INVALID', `${JSON.stringify(name)} cannot name a network device: ${problem}`);
}

function problemOf(name: string, mayBePattern: boolean): string | undefined {
  const length = Buffer.byteLength(name);
  if (length === 0) return mayBePattern ? undefined : 'it is empty';
  if (length > MAX_NAME_BYTES) return `it has ${length} octets, and the kernel takes ${MAX_NAME_BYTES}`;
  if (name === '.' || name === '..') return 'it names a folder';
  // The kernel's own list: it would see each of them as white space or as a separator.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const forbidden = /[/:\s\u0000-\u001f\u007f]/u.exec(name);
  if (forbidden !== null) return `it contains ${JSON.stringify(forbidden[0])}`;
  if (!name.includes('%')) return undefined;
  if (!mayBePattern) return 'it contains "%"';
  return /^[^%]*%d[^%]*$/.test(name) ? undefined : 'after "%" only one "d" may stand, and only once';
}
