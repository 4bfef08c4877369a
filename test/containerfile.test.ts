import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ETHERWS } from './support/etherws.ts';
import { Process, run } from './support/process.ts';

/*
 * Checks contrib/container/Containerfile without building it.
 */

const FILE = 'contrib/container/Containerfile';
const PAGE = readFileSync('docs/operate/service.md', 'utf8');
const SECTION = /^## A container\n(.*?)^## /ms.exec(PAGE)?.[1] ?? '';
/** The instructions with their arguments, in order; lines that end with a backslash are joined. */
const INSTRUCTIONS = readFileSync(FILE, 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => /^([A-Z]+) (.+)$/.exec(line)?.slice(1) ?? [line, '']);

function argumentsOf(instruction: string): string {
  const [only, ...more] = INSTRUCTIONS.filter(([name]) => name === instruction);
  assert.ok(only?.[1] !== undefined && more.length === 0, `one ${instruction}`);
  return only[1];
}

/** The command of an instruction in exec form, which is JSON. */
function commandOf(instruction: string): string[] {
  return JSON.parse(/\[.*\]$/.exec(argumentsOf(instruction))?.[0] ?? '') as string[];
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-container-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe('the Containerfile', () => {
  test('has instructions of the reference only, and none after which root is the user', () => {
    const known = 'ARG FROM COPY RUN USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' ');
    assert.deepEqual([...new Set(INSTRUCTIONS.map(([name]) => name))].sort(), known.sort());
    assert.equal(argumentsOf('USER'), 'node');
  });

  test('has a Node that the package supports', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    const major = (text: string): number => Number(/\d+/.exec(text)?.[0]);
    assert.ok(major(argumentsOf('ARG')) >= major(engines.node));
    assert.match(argumentsOf('ARG'), /^NODE=\d+-[a-z]+-slim$/);
  });

  test('copies the tarballs of a release and nothing else', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const [pattern = '', ...more] = argumentsOf('COPY').split(' ');
    assert.equal(more.length, 1);
    const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
    for (const name of [`etherws-${version}.tgz`, `etherws-linux-x64-${version}.tgz`]) assert.match(name, expression);
  });

  test('starts a switch with its state, and the check of its health tells whether it runs', async (t) => {
    const directory = directoryFor(t);
    const config = join(directory, 'etherws.yaml');
    writeFileSync(config, 'tunnels: {host: 127.0.0.1, port: 0}\ncontrol: {port: 0}\n');
    assert.deepEqual(commandOf('ENTRYPOINT'), ['etherws']);
    const places: Readonly<Record<string, string>> = {
      '/etc/etherws/etherws.yaml': config,
      [`${argumentsOf('VOLUME')}/state`]: join(directory, 'state'),
    };
    const command = commandOf('CMD').map((word) => places[word] ?? word);
    assert.deepEqual(
      command.filter((word) => word.startsWith('/')),
      Object.values(places),
    );
    const running = new Process([...ETHERWS, ...command]);
    t.after(() => running.end());
    const [, listenPort] = await running.output(/"service":"control".*"port":(\d+)/);
    await running.output(/ready/);

    const [program, ...args] = commandOf('HEALTHCHECK');
    assert.equal(program, 'etherws');
    const env = { ETHERWS_CTLURL: `http://127.0.0.1:${listenPort}/ctl` };
    const healthy = await run([...ETHERWS, ...args], { env });
    assert.deepEqual([healthy.status, healthy.stderr], [0, '']);
    running.signal('SIGTERM');
    assert.equal((await running.exited).status, 0);
    assert.equal((await run([...ETHERWS, ...args], { env })).status, 1);
  });

  test('is told by its page: file, capability, port, places, and a configuration that is valid', async (t) => {
    const [, capability = ''] = /setcap (\w+)=ep \/usr\/local\/bin\/node/.exec(argumentsOf('RUN')) ?? [];
    for (const words of [
      `--file ${FILE}`,
      `--cap-add=${capability.replace(/^cap_/, '').toUpperCase()}`,
      '--device=/dev/net/tun',
      `:${argumentsOf('EXPOSE')} `,
      ':/etc/etherws/etherws.yaml:ro',
      `:${argumentsOf('VOLUME')} `,
    ]) {
      assert.ok(SECTION.includes(words), words);
    }
    const config = join(directoryFor(t), 'etherws.yaml');
    writeFileSync(config, /```yaml\n(.*?)```/s.exec(SECTION)?.[1] ?? '');
    const { status, stdout, stderr } = await run([...ETHERWS, 'check', config]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /1 port\b/);
  });
});
