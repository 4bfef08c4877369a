import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Bridge } from '../../src/bridge/bridge.ts';
import { AGEING, PLAIN, type Profile, SHUT } from './generate.ts';

/** A mistake in the bridge, which scripts must find: in a compiled file below src/bridge, a text and what replaces it. */
export interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly text: string;
  readonly mistake: string;
  /** The scripts that must find it. */
  readonly profile: Profile;
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'learns at a wrong port',
    file: 'fdb.js',
    text: 'this.#move(known, port);',
    mistake: '',
    profile: PLAIN,
  },
  {
    what: 'sends a frame back by the port that it came from',
    file: 'stages/decision.js',
    text: "pass.egress === pass.ingress ? 'filtered' : MAY_PASS",
    mistake: 'MAY_PASS',
    profile: PLAIN,
  },
  {
    what: 'floods to the ingress port',
    file: 'bridge.js',
    text: 'if (egress === pass.ingress)',
    mistake: 'if (false)',
    profile: PLAIN,
  },
  {
    what: 'accepts group addresses as sources',
    file: 'stages/ingress-rules.js',
    text: 'isGroupAddress(source)',
    mistake: 'false',
    profile: PLAIN,
  },
  {
    what: 'keeps the stations of a removed port',
    file: 'bridge.js',
    text: 'this.#fdb.forgetPort(bridgePort);\n        this.#stateChanged(bridgePort);',
    mistake: 'this.#stateChanged(bridgePort);',
    profile: PLAIN,
  },
  {
    what: 'does not refresh an entry',
    file: 'fdb.js',
    text: 'known.seenMs = nowMs;',
    mistake: '',
    profile: AGEING,
  },
  {
    what: 'uses entries that have expired',
    file: 'fdb.js',
    text: 'entry !== undefined && nowMs - entry.seenMs < this.#ageingTimeMs ? entry.port',
    mistake: 'entry !== undefined && nowMs - entry.seenMs < 2 * this.#ageingTimeMs ? entry.port',
    profile: AGEING,
  },
  {
    what: 'sends by ports that are shut',
    file: 'stages/port-state.js',
    text: 'egress.isForwarding ?',
    mistake: 'true ?',
    profile: SHUT,
  },
];

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/**
 * Compiles a bridge with the mistake: copies of the rooms that it consists of.
 * @param directory an empty one, in which Node finds the packages of this repository
 * @throws Error when the text is not there exactly once
 */
export async function mutatedBridge({ file, text, mistake }: Mutant, directory: string): Promise<typeof Bridge> {
  for (const room of ['wire', 'bridge', 'errors.js'])
    cpSync(join(SOURCES, room), join(directory, room), { recursive: true });
  const path = join(directory, 'bridge', file);
  const parts = readFileSync(path, 'utf8').split(text);
  if (parts.length !== 2) throw new Error(`src/bridge/${file} has ${parts.length - 1} times: ${text}`);
  writeFileSync(path, parts.join(mistake));
  const url = pathToFileURL(join(directory, 'bridge/bridge.js')).href;
  return ((await import(url)) as { readonly Bridge: typeof Bridge }).Bridge;
}
