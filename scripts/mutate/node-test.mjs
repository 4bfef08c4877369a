// Stands in for node:test while mutants run: collects the tests, so that one process can run any of them again and again.

/** The tests of each compiled file, in its order: name, run. */
export const testsOf = new Map();
/** The file whose import is under way. */
let file = '';

const emptyHooks = () => ({ before: [], after: [], beforeEach: [], afterEach: [] });
let suite = { name: '', hooks: emptyHooks(), parent: undefined };

/** Tells which file the tests that follow are of. */
export function beginFile(name) {
  file = name;
  suite = { name: '', hooks: emptyHooks(), parent: undefined };
  testsOf.set(name, []);
}

function partsOf(name, options, run) {
  if (typeof name === 'function') return { name: name.name, options: {}, run: name };
  if (typeof options === 'function') return { name, options: {}, run: options };
  return { name, options: options ?? {}, run };
}

export function test(...parts) {
  const { name, options, run } = partsOf(...parts);
  if (run === undefined || isOn(options.skip) || isOn(options.todo)) return;
  const home = suite;
  testsOf.get(file).push({ name: `${pathOf(home)}${name}`, run: () => runIn(home, name, run) });
}

export function describe(...parts) {
  const { name, options, run } = partsOf(...parts);
  if (isOn(options.skip)) return;
  suite = { name, hooks: emptyHooks(), parent: suite };
  try {
    run({ name });
  } finally {
    suite = suite.parent;
  }
}

export const before = (hook) => void suite.hooks.before.push(hook);
export const after = (hook) => void suite.hooks.after.push(hook);
export const beforeEach = (hook) => void suite.hooks.beforeEach.push(hook);
export const afterEach = (hook) => void suite.hooks.afterEach.push(hook);
export { describe as suite, test as it };
export default test;

function isOn(value) {
  return value !== undefined && value !== false;
}

function pathOf(home) {
  return home.parent === undefined ? '' : `${pathOf(home.parent)}${home.name} › `;
}

/** The hooks of a suite run around each of its tests, since any of them may be the only one. */
async function runIn(home, name, run) {
  const homes = [];
  for (let at = home; at !== undefined; at = at.parent) homes.unshift(at);
  const hooks = (...kinds) => homes.flatMap((at) => kinds.flatMap((kind) => at.hooks[kind]));
  for (const hook of hooks('before', 'beforeEach')) await hook({ name });
  try {
    await runOne(name, run);
  } finally {
    for (const hook of hooks('afterEach', 'after').reverse()) await hook({ name });
  }
}

async function runOne(name, run) {
  const hooksAfter = [];
  const context = {
    name,
    signal: new AbortController().signal,
    after: (hook) => void hooksAfter.push(hook),
    diagnostic: () => undefined,
    skip: () => undefined,
    test: (...parts) => {
      const inner = partsOf(...parts);
      return isOn(inner.options.skip) ? Promise.resolve() : runOne(inner.name, inner.run);
    },
  };
  try {
    await run(context);
  } finally {
    for (const hook of hooksAfter.reverse()) await hook(context);
  }
}
