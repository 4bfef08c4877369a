import type { StatusEntry } from '../control/schema.ts';
import { type Finding, fail, ok, warn } from '../runtime/finding.ts';

/** A limit is near when this share of it is used; `etherws ctl status` has the same. */
const NEAR = 0.8;
/** An event loop that is later than this delays frames noticeably. */
const LATE_MS = 50;

/** What the status of a switch tells of its health. Pure. */
export function findingsOf(status: StatusEntry): Finding[] {
  return [
    portsOf(status),
    ...limitsOf(status),
    loopOf(status),
    faultsOf(status),
    ...fileOf(status),
    ...clusterOf(status),
  ];
}

function portsOf({ ports }: StatusEntry): Finding {
  const waiting = ['connecting', 'backoff', 'away', 'down'].filter((state) => (ports[state] ?? 0) > 0);
  const total = Object.values(ports).reduce((sum, count) => sum + count, 0);
  if (waiting.length === 0) return ok('ports', `${counted(total, 'port')}; none is without its connection or link`);
  const list = waiting.map((state) => `${ports[state]} ${state}`).join(', ');
  return warn('ports', `of ${counted(total, 'port')}: ${list}`, 'etherws ctl listport says why, for each of them');
}

/** One finding for all limits that are far, and one for each that is near. */
function limitsOf({ limits }: StatusEntry): Finding[] {
  const near = limits.filter(({ used, most }) => used >= most * NEAR);
  if (near.length === 0) return [ok('limits', 'none is near')];
  return near.map(({ limit, used, most }) => {
    const found = `${used} of ${most} used, ${Math.floor((100 * used) / most)} %`;
    const advice = LIMIT_ADVICE[limit] ?? 'Raise it';
    return used >= most ? fail(limit, found, advice) : warn(limit, found, advice);
  });
}

/** What to do when a limit is near. */
const LIMIT_ADVICE: Readonly<Record<string, string>> = {
  '--fdb-size':
    'Raise it, or find the port with too many stations: etherws ctl listport; setport --mac-limit bounds it',
  '--max-tunnels': 'Raise it, or bound the tunnels of a user in the policy',
  '--max-unproven': 'Connections come that present no credentials: bound them by address (--max-per-address)',
  '--max-buffers': 'Ends of tunnels read too slowly: etherws ctl top shows whose queues are long',
  descriptors: 'Raise it, as root: ulimit -n 16384, or LimitNOFILE=16384 in the systemd unit',
};

function loopOf({ eventLoop: { meanMs, maxMs } }: StatusEntry): Finding {
  const found = `late by ${meanMs.toFixed(1)} ms on average, ${maxMs.toFixed(1)} ms once (last minute)`;
  if (maxMs < LATE_MS) return ok('event loop', found);
  return warn(
    'event loop',
    found,
    'Frames wait as long: has this host enough processor time? See top, and etherws ctl top',
  );
}

function faultsOf({ faults }: StatusEntry): Finding {
  const [first] = faults;
  if (first === undefined) return ok('discards', 'no frame was discarded for a fault');
  const all = faults.reduce((sum, { frames }) => sum + frames, 0);
  const found = `${counted(all, 'frame')} discarded for faults since the start; most of them: ${first.reason} at port ${first.port}`;
  return warn('discards', found, `etherws ctl show ${first.port} explains the reasons`);
}

function fileOf({ configuration: { file, deviations } }: StatusEntry): Finding[] {
  if (file === null) return [];
  if (deviations.length === 0) return [ok('configuration', `the switch runs as ${file} says`)];
  const found = `the running state differs from ${file} in ${counted(deviations.length, 'place')}`;
  return [
    warn('configuration', found, 'etherws ctl reload applies the file, etherws ctl save prints the running state'),
  ];
}

/** The store, the name, and the mesh: one finding for each that is not well, else one for all. */
function clusterOf({ cluster }: StatusEntry): Finding[] {
  if (cluster === undefined) return [];
  const { name, node, members, isStoreConnected, storeSeconds, revision, isNameTaken, refused, left } = cluster;
  const others = members.filter(({ state }) => state !== 'self');
  const broken = others.filter(({ mesh }) => mesh.some(({ isUp }) => !isUp)).map((member) => member.node);
  const late = others.filter(({ state }) => state === 'late').map((member) => member.node);
  const found: Finding[] = [];
  if (isNameTaken) {
    found.push(fail('cluster', `another node of ${name} is called ${node}`, 'Give one of them another name: --node'));
  }
  if (!isStoreConnected) {
    const runs = `without the store for ${storeSeconds} s; it runs on revision ${revision}`;
    found.push(warn('cluster store', runs, 'Frames go on. Look at the servers of --cluster, and the way to them'));
  } else if (late.length > 0) {
    found.push(warn('cluster', `not heard of lately: ${listed(late)}`, 'Look at the store from these nodes'));
  }
  if ((refused ?? 0) > 0) {
    const what = `${refused} messages or values came by the store without the secret of the cluster, and had no effect`;
    found.push(
      warn('cluster secret', what, 'A node, or another program, lacks --cluster-secret: the log names the subjects'),
    );
  }
  if (left.tunnels > 0) {
    const some = left.examples.map((one) => `${one.network} to ${one.node}`).join(', ');
    const what = `without a tunnel at the bound of --auto-net-mesh: ${counted(left.tunnels, 'automatic network')} (${some})`;
    found.push(
      warn(
        'cluster mesh',
        what,
        'Their members at these nodes do not hear each other: raise the bound, or lower --auto-net',
      ),
    );
  }
  if (broken.length > 0) {
    const way = 'Can they reach each other at what --advertise says? etherws ctl cluster has the reasons';
    found.push(fail('cluster mesh', `without a tunnel to ${listed(broken)}`, way));
  }
  if (found.length > 0) return found;
  return [ok('cluster', `${name}: node ${node} and ${counted(others.length, 'other')}, all reached`)];
}

function listed(nodes: readonly string[]): string {
  const MOST = 5;
  return nodes.length <= MOST ? nodes.join(', ') : `${nodes.slice(0, MOST).join(', ')} and ${nodes.length - MOST} more`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
