import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../test/support/random.ts';
import type { Site } from './site.ts';
import type { World } from './world.ts';

/** A half-open tunnel is detected in this time. */
const FOUND_MS = 45_000;
/** The wait before dialling, a handshake of at most 10 s, and some margin for a busy machine. */
const BACK_MS = 30_000;

/** A fault that was chosen but has not happened yet. */
export interface Fault {
  readonly name: string;
  /** Traffic must flow again within this time after `happen`. */
  readonly boundMs: number;
  happen(): Promise<void>;
}

type Draw = (world: World, random: Random) => Fault;

/** The kinds of faults; each chooses at random its site and its duration. */
export const DRAWS: readonly Draw[] = [
  (world, random) => {
    const { site, device } = random.pick(world.cableEnds);
    const seconds = random.between(1, 50);
    return {
      name: `link ${device} of ${site.name} down for ${seconds} s`,
      boundMs: FOUND_MS + BACK_MS,
      happen: async () => {
        await site.host.check(['ip', 'link', 'set', device, 'down']);
        await delay(seconds * 1000);
        await site.host.check(['ip', 'link', 'set', device, 'up']);
      },
    };
  },

  (world, random) => {
    const site = random.pick([world.west, world.east]);
    const seconds = random.between(0, 10);
    return {
      name: `kill -9 of ${site.name}, started again after ${seconds} s`,
      boundMs: BACK_MS,
      happen: async () => {
        await site.kill();
        await delay(seconds * 1000);
        await site.start();
      },
    };
  },

  (world, random) => {
    const site = random.pick([world.relay, world.east]);
    return {
      name: `connections to ${site.name} reset`,
      boundMs: BACK_MS,
      happen: async () => {
        await filter(site, 'input', 'tcp dport { 8000, 8443 } reject with tcp reset');
        await delay(1000);
        await unfilter(site);
      },
    };
  },

  (world, random) => {
    const site = random.pick([world.relay, world.east]);
    const seconds = random.between(5, 60);
    const [hook, rule] = random.pick<readonly [string, string]>([
      ['input', 'tcp dport { 8000, 8443 } drop'],
      ['output', 'tcp sport { 8000, 8443 } drop'],
    ]);
    return {
      name: `half-open: ${hook} of ${site.name} dropped for ${seconds} s`,
      boundMs: FOUND_MS + BACK_MS,
      happen: async () => {
        await filter(site, hook, rule);
        await delay(seconds * 1000);
        await unfilter(site);
      },
    };
  },

  (world, random) => {
    const site = random.pick(world.sites);
    const seconds = random.between(1, 70);
    return {
      name: `${site.name} stopped for ${seconds} s`,
      boundMs: FOUND_MS + BACK_MS,
      happen: async () => {
        site.running.process.signal('SIGSTOP');
        await delay(seconds * 1000);
        site.running.process.signal('SIGCONT');
      },
    };
  },

  (world, random) => {
    const seconds = random.between(0, 5);
    return {
      name: `proxy killed, started again after ${seconds} s`,
      boundMs: BACK_MS,
      happen: async () => {
        await world.killProxy();
        await delay(seconds * 1000);
        await world.startProxy();
      },
    };
  },

  (world) => ({
    name: 'certificate renewed, SIGHUP',
    boundMs: BACK_MS,
    happen: async () => {
      const { process } = world.relay.running;
      const since = process.stderr.length;
      await world.renewCertificate();
      process.signal('SIGHUP');
      await process.logged(/"msg":"reloaded"/, since);
    },
  }),

  (world, random) => {
    const site = random.pick(world.sites);
    const times = random.between(3, 10);
    return {
      name: `${times} ports come and go at ${site.name}`,
      boundMs: BACK_MS,
      happen: async () => {
        for (let time = 0; time < times; time++) {
          const [kind, ...more] = time % 2 === 0 ? ['tap', 'churn0'] : ['client', 'ws://192.0.2.99:9/', '--no-wait'];
          const json = await site.running.done('addport', kind ?? '', ...more, '--json');
          const { entries } = JSON.parse(json) as { entries: { port: number }[] };
          await site.running.done('delport', String(entries[0]?.port));
        }
      },
    };
  },
];

async function filter({ host }: Site, hook: string, rule: string): Promise<void> {
  await host.check(['nft', `table ip soak { chain c { type filter hook ${hook} priority 0; ${rule}; }; }`]);
}

async function unfilter({ host }: Site): Promise<void> {
  await host.check(['nft', 'delete table ip soak']);
}
