import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from './etherws.ts';
import { type Outcome, onlyChildOf, Process, type ProcessOptions, run } from './process.ts';
import { missingTools } from './tools.ts';

/** The path of the package, from this file in dist. */
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));

/** The paths of Node and of the package in a laboratory; directives of units do not hide them. */
const LAB_NODE = '/srv/node';
const LAB_SCRIPT = '/srv/etherws/dist/bundle/cli/etherws.js';
export const LAB_ETHERWS: readonly string[] = [LAB_NODE, LAB_SCRIPT];

/*
 * Process 1 of its own namespaces, with its own cgroup. It writes only to memory: /etc is an overlay, and the other
 * writable directories are tmpfs. It starts only a target without dependencies.
 */
const BOOT = `
set -eu
mount --make-rprivate /
cover() { for directory in "$@"; do mount -t tmpfs -o mode=755 tmpfs $directory; done; }
cover /srv
mkdir /srv/etherws /srv/bin
touch ${LAB_NODE}
# Entry by entry, since only its owner may enter a clone that mktemp has made.
for entry in "$1"/*; do
  place=/srv/etherws/$(basename "$entry")
  if [ -d "$entry" ]; then mkdir "$place"; else touch "$place"; fi
  mount --bind "$entry" "$place"
done
mount --bind "$2" ${LAB_NODE}
# Only now: the repository and Node may be below one of them.
cover /run /tmp /var/tmp /var/lib /var/cache /var/log
chmod 1777 /tmp /var/tmp
mkdir /run/upper /run/work
printf '#!/bin/sh\nexec ${LAB_NODE} ${LAB_SCRIPT} "$@"\n' > /srv/bin/etherws
chmod +x /srv/bin/etherws
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/systemd/system
printf '[Unit]\\nDescription=laboratory\\n' > /run/systemd/system/laboratory.target
ip link set lo up
export container=etherws
echo mounted
exec /lib/systemd/systemd --system --unit=laboratory.target --log-target=null --show-status=0
`;
const NAMESPACES = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup'] as const;

/** @returns why no systemd can be started here, or false */
export function missingSystemd(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to start systemd in namespaces of its own';
  return missingTools('systemctl', 'unshare', 'nsenter', 'ip', 'mount');
}

/** The systemd of this host as process 1 of a separate machine without a network, which ends with the test. */
export class SystemdLab {
  readonly #process: Process;

  private constructor(process: Process) {
    this.#process = process;
  }

  static async start(t: TestContext): Promise<SystemdLab> {
    const cgroup = join(unifiedCgroup(), `etherws-test-${process.pid}`);
    mkdirSync(cgroup);
    const isolate = ['unshare', ...NAMESPACES, '--fork', '--kill-child', '--mount-proc', 'bash', '-c', BOOT, 'boot'];
    const enter = ['bash', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', cgroup];
    const lab = new SystemdLab(new Process([...enter, ...isolate, PACKAGE, process.execPath], { timeoutMs: 300_000 }));
    t.after(async () => {
      await lab.#process.end();
      await eventually(async () => removeCgroup(cgroup), Boolean);
    });
    await lab.#process.output(/mounted/);
    await eventually(
      async () => (await lab.run(['systemctl', 'is-system-running'])).stdout.trim(),
      (state) => state === 'running' || state === 'degraded',
    );
    return lab;
  }

  /** Runs a program in the machine. */
  run(command: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
    return run([...this.#enter(), ...command], options);
  }

  /** Starts a program in the machine. */
  spawn(command: readonly string[], options: ProcessOptions = {}): Process {
    return new Process([...this.#enter(), ...command], options);
  }

  /** Runs a program that must succeed. @returns its standard output */
  async done(...command: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(command);
    if (status === 0) return stdout;
    throw new Error(`${command.join(' ')}: ${status}\n${stdout}${stderr}`);
  }

  /** Runs the shell commands of a page in the machine; `etherws` is the built command. */
  async type(lines: string): Promise<string> {
    return await this.done('sh', '-euc', `PATH=/srv/bin:$PATH\n${lines}`);
  }

  /** Writes a file in the machine, and makes its directory. */
  async write(path: string, text: string): Promise<void> {
    await this.run(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', path], { input: text });
  }

  /** The properties of a unit, as `systemctl show` names them. */
  async show(unit: string, ...properties: readonly string[]): Promise<Record<string, string>> {
    const text = await this.done('systemctl', 'show', unit, `--property=${properties.join(',')}`);
    const lines = text.trim().split('\n');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  #enter(): string[] {
    const pid = onlyChildOf(this.#process.pid ?? 0);
    if (pid === undefined) throw new Error(`systemd has ended: ${this.#process}`);
    return ['nsenter', '--target', String(pid), ...NAMESPACES];
  }
}

function unifiedCgroup(): string {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mounted = '', kind = ''] = line.split(' - ');
    if (kind.startsWith('cgroup2 ')) return mounted.split(' ')[4] ?? '';
  }
  throw new Error('there is no cgroup2 file system: mount -t cgroup2 cgroup2 /sys/fs/cgroup');
}

/** @returns whether the whole cgroup is removed; processes that are ending keep it */
function removeCgroup(path: string): boolean {
  try {
    for (const { name, parentPath } of readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory())
      .reverse()) {
      rmdirSync(join(parentPath, name));
    }
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
