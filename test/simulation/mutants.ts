import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A mistake in the product, which the simulation must find: a text of a compiled file, and what replaces it. */
export interface Mutant {
  readonly what: string;
  /** below dist/src */
  readonly file: string;
  readonly text: string;
  readonly mistake: string;
  /** A seed that finds it; further ones are tried behind it. */
  readonly seed?: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'lets isolated ports talk',
    file: 'bridge/stages/isolation.js',
    text: "if (ingress.settings.isIsolated)\n                return 'isolated';",
    mistake: '',
  },
  {
    what: 'has all ports in all VLANs',
    file: 'bridge/port-vlans.js',
    text: 'this.#takesTagged && this.vlans.has(vid)',
    mistake: 'this.#takesTagged',
  },
  {
    what: 'has a tunnel resumed by any user with the token',
    file: 'ports/tunnel/resume/resumable-tunnels.js',
    text: 'tunnel?.user === user &&',
    mistake: '',
    seed: 2,
  },
  {
    what: 'has two parallel tunnels forward',
    file: 'bridge/parallel-tunnels.js',
    text: 'port.standsByFor = active.port;',
    mistake: '',
  },
  {
    what: 'accepts all sources that a policy does not name',
    file: 'bridge/ingress-policy.js',
    text: 'if (sources === undefined && this.#mostClaims < 0)',
    mistake: 'if (true)',
    seed: 17,
  },
  {
    what: 'lets router advertisements and DHCP servers pass a policy',
    file: 'bridge/ingress-policy.js',
    text: 'if (this.#hasGuard &&',
    mistake: 'if (false &&',
    seed: 15,
  },
  {
    what: 'hears BPDUs where they are filtered',
    file: 'bridge/spanning-tree/spanning-tree.js',
    text: '!port.settings.hasBpduFilter && port.portEnabled',
    mistake: 'port.portEnabled',
  },
  {
    what: 'forwards by ports that discard',
    file: 'bridge/bridge-port.js',
    text: "this.stpState === 'forwarding'",
    mistake: 'true',
    seed: 3,
  },
  {
    what: 'never lets a storm end at its limit',
    file: 'bridge/storm-control.js',
    text: 'if (gate.bucket.isOpen(nowMs))',
    mistake: 'if (true)',
    seed: 4,
  },
  {
    what: 'copies no received frames to a mirror',
    file: 'bridge/mirror/mirrors.js',
    text: "isRx: direction !== 'tx'",
    mistake: 'isRx: false',
  },
  {
    what: 'keeps the place of a closed tunnel',
    file: 'ports/tunnel/resume/server-port.js',
    text: 'this.#onGone?.();',
    mistake: '',
  },
  {
    what: 'counts no frames of entities',
    file: 'bridge/transmit.js',
    text: 'bridgePort.tx.count(frame.length, 1);',
    mistake: ';',
    seed: 2,
  },
  {
    what: 'does not dial again',
    file: 'ports/tunnel/dial/client-port.js',
    text: 'this.#timer = setTimeout(() => this.#dial()',
    mistake: 'this.#timer = setTimeout(() => undefined',
  },
];

const DIST = fileURLToPath(new URL('../..', import.meta.url));

/** A copy of the compiled product and of the simulation with this mistake. @returns the address of its run.js */
/** @param entry below dist/test */
export function mutated({ file, text, mistake, what }: Mutant, directory: string, entry = 'simulation/run.js'): string {
  cpSync(join(DIST, 'src'), join(directory, 'src'), { recursive: true, filter: (path) => !path.endsWith('.test.js') });
  for (const room of ['simulation', 'support']) {
    cpSync(join(DIST, 'test', room), join(directory, 'test', room), { recursive: true });
  }
  const path = join(directory, 'src', file);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(text)) throw new Error(`${file} has no place for "${what}"`);
  writeFileSync(path, before.replace(text, mistake));
  return pathToFileURL(resolve(directory, 'test', entry)).href;
}
