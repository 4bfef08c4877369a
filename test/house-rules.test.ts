import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '@babel/parser';

/** The allowed fixed sleeps: file, text of the line, and the reason why no condition can be awaited. */
const SLEEPS: readonly (readonly [file: string, line: string, reason: string])[] = [
  ['test/simulation/cluster/confirm.ts', 'await delay(SETTLE_MS)', 'nothing of the start is to be counted'],
  ['test/simulation/cluster/confirm.ts', 'delay(ms)])', 'what is sent within this time is counted, as by the model'],
  ['test/simulation/cluster/confirm.ts', 'delay(REST_MS)', 'what is sent within this time is counted, as by the model'],
  ['test/simulation/cluster/memory.ts', 'await delay(BURST_MS)', 'the rate at which stations come'],
  ['test/simulation/cluster/memory.ts', 'await delay(IDLE_MS)', 'an idle daemon gives memory back within this time'],
  ['test/run-tests.test.ts', 'setTimeout(resolve, 300)', 'part of a program that is tested, not of a test'],
  ['test/e2e/faults.test.ts', 'delay(stayMs)', 'the clock stays where it jumped to for a ping of the heartbeat'],
  ['test/e2e/faults.test.ts', 'delay(50_000)', 'the length of the outage is what is tested'],
  ['test/e2e/faults.test.ts', 'delay(61_000)', 'the time that the client is suspended is what is tested'],
  ['test/e2e/broken-tls.test.ts', 'delay(200)', 'what was under way either arrives, or the hop has dropped it unseen'],
  ['test/interop/select-loop.test.ts', 'idlesUntil - Date.now()', 'how long the tunnel is idle is what is tested'],
  ['test/e2e/cluster-store-death.test.ts', 'delay(outageMs())', 'the length of the outage is what is tested'],
  ['test/e2e/cluster-tree.test.ts', 'delay(500)', 'whether frames arrive is seen between two reports'],
  ['test/e2e/cluster-tree.test.ts', 'delay(STEADY_MS)', 'that no frame comes twice is seen after a time of quiet'],
  ['test/e2e/cluster-partition.test.ts', 'delay(CUT_MS', 'the length of the cut is what is tested'],
  ['test/e2e/cluster-clocks.test.ts', 'delay(STOPPED_MS / 2)', 'the time that the node is stopped is what is tested'],
  ['test/e2e/crowd.test.ts', 'delay(60_000)', 'idle memory is measured behind a minute of quiet'],
  ['test/e2e/crowd.test.ts', 'delay(11_000)', 'tunnels that stood for 10 s start their waits anew'],
  ['test/e2e/day.test.ts', 'delay(1000)', 'what a tunnel leaves behind is collected by then'],
  ['test/e2e/survival.test.ts', 'delay(5000)', 'the length of the outage is what is tested'],
  ['test/attack/proxy-header.test.ts', 'setTimeout(resolve, 2)', 'pieces that must not be joined to one segment'],
  ['test/e2e/state-kill.test.ts', 'delay(lifeMs)', 'how long the program lives before it is killed is chance'],
  ['src/ports/tunnel/dial/failback.test.ts', 'setTimeout(resolve, 200)', 'shows that nothing is dialled: ten periods'],
];

/** Loops with waits that end with their data. */
const COUNTED_LOOPS: readonly (readonly [file: string, line: string])[] = [
  ['src/ports/stream/tls/handover.test.ts', 'for (let at = 0; at < octets.length; ) {'],
  ['src/ports/stream/tls/record-stream.test.ts', 'while (sent < key * LIMIT) await one();'],
];

/** Files that may use waits without a deadline; all others use `once` of test/support/waits.ts. */
const MAY_WAIT_FOR_EVER = [
  // Has such a wait as the example that the rule must find.
  'test/house-rules.test.ts',
  'test/support/waits.ts',
  // Has deadlines of its own.
  'test/support/process.ts',
  // Waits for the end of processes that live as long as the laboratory.
  'test/support/namespaces.ts',
];

/** Calls that limit a loop, or that fail in it. */
const BOUND =
  /\b(Date\.now|performance\.now|assert|once|onceAny|until|eventually|within|either|throw|refusal|isOver)\b|-- > 0|\.push\(await/;
/** A promise of a turn of the event loop, or of a timer, which the rule about fixed sleeps checks. */
const SETTLES_ITSELF = /^new Promise(<[^>]*>)?\((setImmediate|\(resolve\) => setTimeout\(resolve\b)/;
const ASSERTS = /^(assert|fc\.assert|t\.assert)\b|^(rejects|throws)$/;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [key: string]: unknown;
}

interface Source {
  readonly file: string;
  readonly text: string;
  readonly tree: Node;
}

function* tsFiles(): Iterable<string> {
  for (const root of ['src', 'test']) {
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const file = join(root, name);
      if (file.endsWith('.test.ts') || (root === 'test' && file.endsWith('.ts'))) yield file;
    }
  }
}

function readSource(file: string, text: string): Source {
  const tree = parse(text, { sourceType: 'module', plugins: ['typescript'] }).program as unknown as Node;
  return { file, text, tree };
}

function* childrenOf(node: Node): Iterable<Node> {
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key.endsWith('omments')) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof (child as Node | null)?.type === 'string') yield child as Node;
    }
  }
}

function* within(node: Node): Iterable<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* within(child);
}

const part = (node: Node, key: string): Node => node[key] as Node;
const argumentsOf = (node: Node): readonly Node[] => part(node, 'arguments') as unknown as readonly Node[];
const textOf = ({ text }: Source, { start, end }: Node): string => text.slice(start, end);
const at = ({ file }: Source, { loc }: Node): string => `${file}:${loc.start.line}`;

function calleeOf(source: Source, node: Node): string {
  return node.type === 'CallExpression' ? textOf(source, part(node, 'callee')) : '';
}

/** The last name of a callee: `check` of `host.check(…)`. */
const lastName = (callee: string): string => callee.split('.').at(-1) ?? '';

/** Names of functions and methods that assert or throw, or call one that does. */
function assertingNames(sources: readonly Source[]): Set<string> {
  const calls = new Map<string, Set<string>>();
  const asserting = new Set<string>();
  for (const source of sources) {
    for (const node of within(source.tree)) {
      const name = functionName(source, node);
      if (name === undefined) continue;
      const called = calls.get(name) ?? new Set();
      calls.set(name, called);
      for (const inner of within(node)) {
        if (inner.type === 'ThrowStatement' || ASSERTS.test(calleeOf(source, inner))) asserting.add(name);
        if (inner.type === 'CallExpression') called.add(lastName(calleeOf(source, inner)));
      }
    }
  }
  for (let size = -1; size !== asserting.size; ) {
    size = asserting.size;
    for (const [name, called] of calls) if ([...called].some((other) => asserting.has(other))) asserting.add(name);
  }
  return asserting;
}

function functionName(source: Source, node: Node): string | undefined {
  if (node.type === 'FunctionDeclaration') return textOf(source, part(node, 'id'));
  if (node.type === 'ClassMethod' || node.type === 'ObjectMethod' || node.type === 'ClassPrivateMethod') {
    return lastName(textOf(source, part(node, 'key')));
  }
  const init = part(node, 'init') as Node | null | undefined;
  if (node.type !== 'VariableDeclarator' || !/Function/.test(init?.type ?? '')) return undefined;
  return textOf(source, part(node, 'id')).replace(/[:<].*/s, '');
}

function testsWithoutAssert(source: Source, asserting: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const node of within(source.tree)) {
    if (!/^(test|it|t\.test)$/.test(calleeOf(source, node))) continue;
    const body = argumentsOf(node).at(-1);
    if (body === undefined || !/Function/.test(body.type)) continue;
    const isAsserting = [...within(body)].some((inner) => {
      const callee = calleeOf(source, inner);
      return inner.type === 'ThrowStatement' || ASSERTS.test(callee) || asserting.has(lastName(callee));
    });
    if (!isAsserting) found.push(`${at(source, node)}: the test asserts nothing`);
  }
  return found;
}

function testsLeftOut(source: Source): string[] {
  const found: string[] = [];
  for (const node of within(source.tree)) {
    const callee = calleeOf(source, node);
    const isBare = callee === 't.skip' && argumentsOf(node).length === 0;
    if (isBare || /^(test|it|describe|suite|t)\.(skip|only|todo)$/.test(callee.replace(/^t\.skip$/, ''))) {
      found.push(`${at(source, node)}: ${callee} without a condition and a reason`);
    }
    const { key, value } = node as { key?: Node; value?: Node };
    if (node.type !== 'ObjectProperty' || key === undefined || value?.type !== 'BooleanLiteral') continue;
    if (/^(skip|only|todo)$/.test(textOf(source, key)) && textOf(source, value) === 'true') {
      found.push(`${at(source, node)}: ${textOf(source, node)} has no reason`);
    }
  }
  return found;
}

function waitsForEver(source: Source): string[] {
  const found: string[] = [];
  for (const node of within(source.tree)) {
    if (!['WhileStatement', 'DoWhileStatement', 'ForStatement'].includes(node.type)) continue;
    if (node.type === 'ForStatement' && part(node, 'test') !== null && part(node, 'update') !== null) continue;
    const doesWait = [...within(node)].some(({ type }) => type === 'AwaitExpression');
    const isCounted = COUNTED_LOOPS.some(
      ([file, line]) => file === source.file && textOf(source, node).startsWith(line),
    );
    if (doesWait && !isCounted && !BOUND.test(textOf(source, node))) {
      found.push(`${at(source, node)}: a loop that waits has no deadline: \`until\` of test/support/waits.ts has one`);
    }
  }
  if (mayWaitForEver(source)) return found;
  if (/import \{[^}]*\bonce\b[^}]*\} from 'node:events'/.test(source.text)) {
    found.push(`${source.file}: \`once\` of node:events waits for ever; that of test/support/waits.ts does not`);
  }
  return found;
}

/** Races between waits. The losers continue, and their timers keep the test file alive. */
function racesOfWaits(source: Source): string[] {
  if (mayWaitForEver(source)) return [];
  const races = [...within(source.tree)].filter((node) => /^Promise\.(race|any)$/.test(calleeOf(source, node)));
  return races.flatMap((race) => {
    const isWait = [...within(race)].some((node) => /^(once|onceAny|until|within)$/.test(calleeOf(source, node)));
    return isWait ? [`${at(source, race)}: a wait that loses a race goes on: \`onceAny\` leaves nothing behind`] : [];
  });
}

/** Tunnels of ws, which emit the frames behind pings as well, from the 20th second of a tunnel on. */
function barePeers(source: Source): string[] {
  const bare = [...within(source.tree)].filter(
    (node) => node.type === 'NewExpression' && /^new WebSocket\([^;]*tunnelPort/.test(textOf(source, node)),
  );
  return bare.map(
    (node) => `${at(source, node)}: a tunnel is a TunnelSocket: ws emits the frames behind pings as well`,
  );
}

function mayWaitForEver({ file }: Source): boolean {
  return MAY_WAIT_FOR_EVER.includes(file) || file.includes('/programs/');
}

function isNewPromise(source: Source, node: Node): boolean {
  return node.type === 'NewExpression' && textOf(source, part(node, 'callee')) === 'Promise';
}

/** Promises in tests without `within`, around the promise or around the variable that holds it. */
function promisesForEver(source: Source): string[] {
  const found: string[] = [];
  const bounded = new Set(
    [...source.text.matchAll(/\bwithin\(\s*(?:Promise\.race\(\[)?(\w+)\b/g)].map(([, name]) => name),
  );
  const visit = (node: Node, isBounded: boolean): void => {
    const isWithin = isBounded || calleeOf(source, node) === 'within';
    if (!isWithin && isNewPromise(source, node) && !SETTLES_ITSELF.test(textOf(source, node))) {
      found.push(`${at(source, node)}: a promise has no deadline: \`within\` of test/support/waits.ts gives it one`);
    }
    const isNamed = node.type === 'VariableDeclarator' && bounded.has(textOf(source, part(node, 'id')));
    for (const child of childrenOf(node)) visit(child, isWithin || isNamed);
  };
  if (!mayWaitForEver(source)) visit(source.tree, false);
  return found;
}

function fixedSleeps(source: Source): string[] {
  if (source.file === 'test/support/waits.ts' || source.file.includes('/programs/')) return [];
  const found: string[] = [];
  const visit = (node: Node, isInLoop: boolean): void => {
    const isLoop = ['WhileStatement', 'DoWhileStatement'].includes(node.type) || isEndless(node);
    const callee = calleeOf(source, node);
    const isSleep =
      callee === 'delay' ||
      callee === 'sleep' ||
      (callee === 'setTimeout' && /^setTimeout\(resolve\b/.test(textOf(source, node)));
    const line = source.text.split('\n')[node.loc.start.line - 1] ?? '';
    // The deadline of another wait.
    const isDeadline = /ref: false|signal:/.test(textOf(source, node));
    const isKnown = SLEEPS.some(([file, part]) => file === source.file && line.includes(part));
    // In a loop a sleep is the interval of polling, and the loop has a deadline.
    if (isSleep && !isInLoop && !isDeadline && !isKnown)
      found.push(`${at(source, node)}: a fixed sleep: ${line.trim()}`);
    for (const child of childrenOf(node)) visit(child, isInLoop || isLoop);
  };
  visit(source.tree, false);
  return found;
}

function isEndless(node: Node): boolean {
  return node.type === 'ForStatement' && part(node, 'test') === null;
}

const sources = [...tsFiles()].map((file) => readSource(file, readFileSync(file, 'utf8')));
const asserting = assertingNames(sources);

test('every test asserts something', () => {
  assert.deepEqual(
    sources.flatMap((source) => testsWithoutAssert(source, asserting)),
    [],
  );
});

test('no test is left out without a reason that CI can refuse', () => {
  assert.deepEqual(sources.flatMap(testsLeftOut), []);
});

test('every wait has a deadline', () => {
  assert.deepEqual(sources.flatMap(waitsForEver), []);
  assert.deepEqual(sources.flatMap(promisesForEver), []);
  assert.deepEqual(sources.flatMap(racesOfWaits), []);
});

test('no test sleeps where it can wait for a condition, and no reason outlives its sleep', () => {
  assert.deepEqual(sources.flatMap(fixedSleeps), []);
  const stale = SLEEPS.filter(
    ([file, line]) => !sources.some((source) => source.file === file && source.text.includes(line)),
  );
  assert.deepEqual(stale, []);
});

test('what a switch sends behind a ping is no frame of another station', () => {
  assert.deepEqual(sources.flatMap(barePeers), []);
});

test('each of these rules finds what it forbids', () => {
  const source = (text: string): Source => readSource('test/planted.test.ts', text);
  assert.equal(testsWithoutAssert(source("test('a', () => { nothingOfOurs(); });"), asserting).length, 1);
  assert.equal(testsWithoutAssert(source("test('a', () => { assert.ok(run()); });"), asserting).length, 0);
  for (const text of ["test.skip('a', f);", "test.only('a', f);", 't.skip();', "test('a', { skip: true }, f);"]) {
    assert.equal(testsLeftOut(source(text)).length, 1, text);
  }
  assert.equal(testsLeftOut(source("t.skip('needs root');")).length, 0);
  for (const text of ['while (x) await turn();', 'for (;;) { await turn(); }', "import { once } from 'node:events';"]) {
    assert.equal(waitsForEver(source(text)).length, 1, text);
  }
  for (const text of [
    'await new Promise((resolve) => socket.once("close", resolve));',
    'const gone = new Promise(f);',
  ]) {
    assert.equal(promisesForEver(source(text)).length, 1, text);
  }
  for (const text of ['within(new Promise(f), "it");', 'const gone = new Promise(f); await within(gone, "it");']) {
    assert.deepEqual(promisesForEver(source(text)), [], text);
  }
  const race = "await Promise.race([once(socket, 'open'), once(socket, 'close')]);";
  assert.equal(racesOfWaits(source(race)).length, 1, race);
  const tunnel = 'const far = new WebSocket(urlOf(lan.tunnelPort), { headers });';
  assert.equal(barePeers(source(tunnel)).length, 1, tunnel);
  for (const text of ['await delay(100);', 'await new Promise((resolve) => setTimeout(resolve, 100));']) {
    assert.equal(fixedSleeps(source(text)).length, 1, text);
  }
});
