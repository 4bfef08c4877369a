import { EtherwsError } from '../../errors.ts';

const MAX_NAME_BYTES = 15;

/**
 * Checks the name of a network device by the kernel's rules, so that the error
 * message names the mistake, which EINVAL does not.
 * @param mayBePattern whether an empty name, or one `%d`, which the kernel replaces by a number, is allowed
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
  // The characters that dev_valid_name() of the kernel refuses: white space, `/` and `:`; and control characters.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const forbidden = /[/:\s\u0000-\u001f\u007f]/u.exec(name);
  if (forbidden !== null) return `it contains ${JSON.stringify(forbidden[0])}`;
  if (!name.includes('%')) return undefined;
  if (!mayBePattern) return 'it contains "%"';
  return /^[^%]*%d[^%]*$/.test(name) ? undefined : 'after "%" only one "d" may stand, and only once';
}
