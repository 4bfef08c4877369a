import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BridgeParts } from './core-world.ts';
import {
  AGEING,
  ISOLATED,
  MIRRORS,
  MULTICAST,
  PLAIN,
  PROVIDER,
  type Profile,
  SECURITY,
  SHUT,
  VLAN_MIRRORS,
  VLANS,
} from './generate.ts';

/** A mistake in the bridge, which scripts must find: a text of the compiled src/bridge or src/wire, and what replaces it where it is first. */
export interface Mutant {
  readonly what: string;
  readonly text: RegExp;
  readonly mistake: string;
  /** The scripts that must find it. */
  readonly profile: Profile;
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'learns at a wrong port',
    text: /this\.#move\(known, port, 'learned', nowMs\);/,
    mistake: '',
    profile: PLAIN,
  },
  {
    what: 'sends a frame back by the port that it came from',
    text: /pass\.egress === pass\.ingress \? 'filtered' : MAY_PASS/,
    mistake: 'MAY_PASS',
    profile: PLAIN,
  },
  {
    what: 'floods to the ingress port',
    text: /egress === pass\.ingress \|\| /,
    mistake: '',
    profile: PLAIN,
  },
  {
    what: 'accepts group addresses as sources',
    text: /isGroupAddress\(source\)/,
    mistake: 'false',
    profile: PLAIN,
  },
  {
    what: 'keeps the stations of a removed port',
    text: /this\.#fdb\.removePort\(bridgePort\);/,
    mistake: '',
    profile: PLAIN,
  },
  {
    what: 'does not refresh an entry',
    text: /known\.seenMs = nowMs;/,
    mistake: '',
    profile: AGEING,
  },
  {
    what: 'uses entries that have expired',
    text: /entry !== undefined && this\.#isValid\(entry, nowMs\) \? entry\.port/,
    mistake: 'entry !== undefined ? entry.port',
    profile: AGEING,
  },
  {
    what: 'sends by ports that are shut',
    text: /egress\.isForwarding \?/,
    mistake: 'true ?',
    profile: SHUT,
  },
  {
    what: 'lets isolated ports talk',
    text: /(?<=if \(egress\.settings\.isIsolated\) \{\s*)if \(ingress\.settings\.isIsolated\)/,
    mistake: 'if (false)',
    profile: ISOLATED,
  },
  {
    what: 'isolates all ports from an isolated one',
    text: /(?<=if \(egress\.settings\.isIsolated\) \{\s*)if \(ingress\.settings\.isIsolated\)/,
    mistake: 'if (true)',
    profile: ISOLATED,
  },
  {
    what: 'lets sticky entries move',
    text: /this\.#isValid\(known, nowMs\) && !mayMove/,
    mistake: 'false && !mayMove',
    profile: SECURITY,
  },
  {
    what: 'takes frames of any port for the station of a locked one',
    text: /nowMs\) === ingress \? MAY_PASS : 'locked'/,
    mistake: "nowMs) !== undefined ? MAY_PASS : 'locked'",
    profile: SECURITY,
  },
  {
    what: 'takes broadcasts for multicasts',
    text: /destination === BROADCAST(?=\)\s*return settings\.floods)/,
    mistake: 'false',
    profile: SECURITY,
  },
  {
    what: 'keeps groups from members whose port has mcast_flood off',
    text: /members !== undefined(?=\)\s*return MAY_PASS)/,
    mistake: 'false',
    profile: MULTICAST,
  },
  {
    what: 'has all ports in all VLANs',
    text: /this\.#takesTagged && this\.vlans\.has\(vid\)/,
    mistake: 'this.#takesTagged',
    profile: VLANS,
  },
  {
    what: 'loses the priority of a tag that it replaces',
    text: /tci < 0 \? 0 : tci & PRIORITY_MASK/,
    mistake: '0',
    profile: VLANS,
  },
  {
    what: 'writes a C-TAG in place of an S-TAG',
    text: /vlans\.tpid === TPID_C_TAG \? FORM_C_TAG : FORM_S_TAG/,
    mistake: 'FORM_C_TAG',
    profile: PROVIDER,
  },
  {
    what: 'copies a flooded frame once for each mirrored port that sends it',
    text: / \|\| output\.hasCopyOfOther\(port, pass\)/,
    mistake: '',
    profile: MIRRORS,
  },
  {
    what: 'copies a frame as it is received, and again as it is sent',
    text: /this\.#taps\.get\(pass\.ingress\)\?\.copiesReceived\(output, vid\) === true/,
    mistake: 'false',
    profile: MIRRORS,
  },
  {
    what: 'makes one copy of a frame, and not one for each place of copies',
    text: /mirror\[way\] && mirror\.output === output && /,
    mistake: 'mirror[way] && ',
    profile: MIRRORS,
  },
  {
    what: 'forwards frames by a port that is reserved for copies',
    text: /!this\.isMirrorOutput && /,
    mistake: '',
    profile: MIRRORS,
  },
  {
    what: 'takes frames from a port that is reserved for copies',
    text: /if \(ingress\.isMirrorOutput\)/,
    mistake: 'if (false)',
    profile: MIRRORS,
  },
  {
    what: 'copies what a port receives when only what it sends is mirrored',
    text: /isRx: direction !== 'tx'/,
    mistake: 'isRx: true',
    profile: MIRRORS,
  },
  {
    what: 'copies what a port sends when only what it receives is mirrored',
    text: /isTx: direction !== 'rx'/,
    mistake: 'isTx: true',
    profile: MIRRORS,
  },
  {
    what: 'forgets the mirror of a port while the network has one',
    text: /if \(own !== undefined\)/,
    mistake: 'if (own !== undefined && ofAll === undefined)',
    profile: MIRRORS,
  },
  {
    what: 'copies frames of VLANs that the mirror does not have',
    text: /vids === undefined \|\| vids\.has\(vid\)/,
    mistake: 'true',
    profile: VLAN_MIRRORS,
  },
  {
    what: 'takes frames without a tag at a mirrored access port for frames of no VLAN',
    text: /return vlanAt\(vlans, bytes, starts/,
    mistake: 'return vlanAt(undefined, bytes, starts',
    profile: VLAN_MIRRORS,
  },
  {
    what: 'sends only copies of frames that are in a VLAN of the port that sends them',
    text: /const refused = port\.port\.send\(batch, index\);/,
    mistake:
      "const refused = (port.vlans === undefined || port.vlans.classify(batch.bytes, batch.starts[index], batch.lengths[index]) >= 0) ? port.port.send(batch, index) : 'vlanFiltered';",
    profile: VLAN_MIRRORS,
  },
];

const MIRROR_ENTITY = 'networks/mirror-entity.js';
const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/**
 * Makes a bridge with the mistake: copies of the rooms that it consists of.
 * @param directory a new one, in which Node finds the packages of this repository
 * @throws Error when the text is nowhere
 */
export async function mutatedBridge({ text, mistake }: Mutant, directory: string): Promise<BridgeParts> {
  for (const room of ['wire', 'bridge', 'errors.js'])
    cpSync(join(SOURCES, room), join(directory, room), { recursive: true });
  // The only file of its room that a bridge of scripts has.
  cpSync(join(SOURCES, MIRROR_ENTITY), join(directory, MIRROR_ENTITY));
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const paths = files.filter((file) => /^(?!.*\.test\.js$).*\.js$/.test(file)).map((file) => join(directory, file));
  const path = paths.find((each) => text.test(readFileSync(each, 'utf8')));
  if (path === undefined) throw new Error(`the bridge has nowhere: ${text}`);
  writeFileSync(path, readFileSync(path, 'utf8').replace(text, mistake));
  const load = (file: string): Promise<unknown> => import(pathToFileURL(join(directory, file)).href);
  const parts = ['bridge/bridge.js', 'bridge/port-vlans.js', MIRROR_ENTITY];
  return Object.assign({}, ...(await Promise.all(parts.map(load)))) as BridgeParts;
}
