// Finds the places of a TypeScript source that a mutant can change, and writes all mutants into one text ("mutant
// schemata"): each mutated place asks `__mutant(ID)` whether its mutant is on, so that one build holds them all. Each
// loop calls `__tick()`, which throws when a test goes round far more often than it does without a mutant.
import { parse } from '@babel/parser';

/** Operators and what they become. A comparison loses or gains its boundary, or is turned round. */
const BINARY = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '^': ['|'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
};
const LOGICAL = { '&&': '||', '||': '&&' };
const ASSIGNMENT = {
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '|=': '&=',
  '&=': '|=',
  '^=': '|=',
  '<<=': '>>=',
  '>>=': '<<=',
  '>>>=': '<<=',
  '??=': '=',
};
const METHODS = new Map([
  ['min', 'max'],
  ['max', 'min'],
  ['some', 'every'],
  ['every', 'some'],
]);

/** Nodes of types that have a value inside. */
const AROUND_VALUES = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression']);
const LOOPS = new Set(['WhileStatement', 'DoWhileStatement', 'ForStatement', 'ForOfStatement', 'ForInStatement']);
const LEFT_OUT = new Set(['AssignmentExpression', 'UpdateExpression', 'AwaitExpression', 'UnaryExpression']);

// On one line with the first of the source, so that lines keep their numbers.
const PRELUDE =
  'const { mutant: __mutant, tick: __tick } = (globalThis as any).__etherwsMutation ?? ' +
  '{ mutant: () => false, tick: () => undefined }; ';

/**
 * @param source the text of a TypeScript file
 * @param firstId the number of the first mutant
 * @param isJudged whether mutants are wanted; otherwise only loops are counted
 * @returns the text with all its mutants, and what each of them is: `line` is the text of the line, `change` what
 *   becomes of what
 */
export function mutate(source, firstId, isJudged) {
  const tree = parse(source, { sourceType: 'module', plugins: ['typescript'], createParenthesizedExpressions: true });
  const lines = source.split('\n');
  const mutants = [];
  /** What stands in for a node: replacements of an expression, or a statement left out. */
  const changes = new Map();
  const loopBodies = new Set();
  const text = (node) => source.slice(node.start, node.end);
  const add = (node, replacement, change) => {
    const { line } = node.loc.start;
    const id = firstId + mutants.length;
    mutants.push({ id, lineNumber: line, line: lines[line - 1].trim(), change });
    if (!changes.has(node)) changes.set(node, []);
    changes.get(node).push({ id, replacement });
  };
  const replace = (node, replacement, shown = replacement) =>
    add(node, replacement, `${brief(text(node))} → ${brief(shown)}`);

  const visit = (node, parent, key) => {
    if (node.type.startsWith('TS') && !AROUND_VALUES.has(node.type)) return;
    if (node.type === 'ImportDeclaration' || node.declare === true) return;
    if (LOOPS.has(node.type)) loopBodies.add(node.body);
    if (isJudged) find(node, parent, key, { replace, add, text });
    for (const [child, childKey] of childrenOf(node)) visit(child, node, childKey);
  };
  visit(tree.program, undefined, '');
  return { mutants, text: `${PRELUDE}${write(tree.program, source, changes, loopBodies)}` };
}

function find(node, parent, key, { replace, add, text }) {
  const sides = () => [text(node.left), text(node.right)];
  switch (node.type) {
    case 'BinaryExpression': {
      const [left, right] = sides();
      for (const operator of BINARY[node.operator] ?? [])
        replace(node, `(${left}) ${operator} (${right})`, `${left} ${operator} ${right}`);
      break;
    }
    case 'LogicalExpression': {
      const [left, right] = sides();
      const operator = LOGICAL[node.operator];
      if (operator !== undefined) replace(node, `(${left}) ${operator} (${right})`, `${left} ${operator} ${right}`);
      else replace(node, `(${left})`, left);
      break;
    }
    case 'AssignmentExpression': {
      const [left, right] = sides();
      const operator = ASSIGNMENT[node.operator];
      if (operator !== undefined) replace(node, `${left} ${operator} ${right}`);
      break;
    }
    case 'UnaryExpression':
      if ('!-~'.includes(node.operator)) replace(node, `(${text(node.argument)})`, text(node.argument));
      break;
    case 'UpdateExpression': {
      const operator = node.operator === '++' ? '--' : '++';
      const argument = text(node.argument);
      replace(node, node.prefix ? `${operator}${argument}` : `${argument}${operator}`);
      break;
    }
    case 'BooleanLiteral':
      replace(node, String(!node.value));
      break;
    case 'StringLiteral':
      if (isValue(parent, key)) replace(node, node.value === '' ? "'mutant'" : "''");
      break;
    case 'TemplateLiteral':
      if (parent.type !== 'TaggedTemplateExpression') replace(node, '``');
      break;
    case 'ArrayExpression':
      if (node.elements.length > 0) replace(node, '[]');
      break;
    case 'ObjectExpression':
      if (node.properties.length > 0) replace(node, '({})', '{}');
      break;
    case 'CallExpression': {
      const { callee } = node;
      const other = callee.type === 'MemberExpression' && !callee.computed && METHODS.get(callee.property.name);
      if (!other) break;
      const tail = text(node).slice(callee.end - node.start);
      replace(node, `${text(callee.object)}.${other}${tail}`);
      break;
    }
    case 'OptionalMemberExpression':
    case 'OptionalCallExpression':
      // Of a chain only the whole of it can be replaced.
      if (!parent.type.startsWith('Optional') || (key !== 'object' && key !== 'callee')) {
        for (const at of optionalPlaces(node, text)) {
          const whole = text(node);
          const isMember = /^\?\.[\w#$]/.test(whole.slice(at - node.start));
          replace(node, `${whole.slice(0, at - node.start)}${isMember ? '.' : ''}${whole.slice(at - node.start + 2)}`);
        }
      }
      break;
    case 'IfStatement':
    case 'ConditionalExpression':
      replace(node.test, 'true');
      replace(node.test, 'false');
      break;
    case 'ExpressionStatement':
      if (isLeftOut(node.expression)) add(node, undefined, `without ${brief(text(node))}`);
      break;
    default:
      if (LOOPS.has(node.type) && node.test && node.test.type !== 'BooleanLiteral') replace(node.test, 'false');
  }
}

/** Where the `?.` of a chain stand. */
function* optionalPlaces(chain, text) {
  for (let node = chain; node?.type.startsWith('Optional'); node = node.object ?? node.callee) {
    const inner = node.object ?? node.callee;
    if (node.optional)
      yield inner.end +
        text(node)
          .slice(inner.end - node.start)
          .indexOf('?.');
  }
}

/** A text that is a value, not the name of a property, of a module or of a type. */
function isValue(parent, key) {
  if (parent.type.startsWith('Export') || parent.type.startsWith('Import')) return false;
  return !(key === 'key' && parent.computed !== true);
}

function isLeftOut(expression) {
  if (expression.type === 'OptionalCallExpression') return true;
  if (expression.type === 'CallExpression') return expression.callee.type !== 'Super';
  return LEFT_OUT.has(expression.type);
}

function* childrenOf(node) {
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key.endsWith('omments') || key === 'extra' || key === 'errors') continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && typeof child.type === 'string') yield [child, key];
    }
  }
}

/** The text of a node with the mutants in it. */
function write(node, source, changes, loopBodies) {
  let out = '';
  let at = node.start;
  const children = [...new Set([...childrenOf(node)].map(([child]) => child))].sort((a, b) => a.start - b.start);
  for (const child of children) {
    // A shorthand property has its name twice.
    if (child.start < at) continue;
    out += source.slice(at, child.start) + write(child, source, changes, loopBodies);
    at = child.end;
  }
  out += source.slice(at, node.end);
  for (const { id, replacement } of changes.get(node) ?? []) {
    if (replacement === undefined) out = `{ if (!__mutant(${id})) ${out} }`;
    else out = `(__mutant(${id}) ? (${replacement}) : (${out}))`;
  }
  return loopBodies.has(node) ? `{ __tick(); ${out} }` : out;
}

function brief(text) {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}
