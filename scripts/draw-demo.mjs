// Draws docs/demo.svg: the output of `npm run demo`, from the second host's first command to the checksums.
// Usage: npm run build && node scripts/draw-demo.mjs
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const FIRST = /^▸ The laptop/;
const LAST = /the checksums are equal/;
/** Lines that are left out of the picture. */
const LEFT_OUT = /INFO: listening|^ *sent |^ *received |ping statistics|^ *rtt/;
const [CELL, LINE, MARGIN] = [7.8, 18, 18];
const COLOURS = { ground: '#14181d', text: '#c9d1d9', faint: '#7d8590', step: '#6cb6ff', good: '#57ab5a' };

const printed = execFileSync(process.execPath, ['dist/demo/demo.js'], { encoding: 'utf8' }).split('\n');
const from = printed.findIndex((line) => FIRST.test(line));
const to = printed.findIndex((line) => LAST.test(line));
if (from < 0 || to < 0) throw new Error('The demo did not print what is to be drawn; run: npm run demo');
const lines = printed
  .slice(from, to + 1)
  .filter((line) => !LEFT_OUT.test(line))
  .map((line) => line.replace(/^ {11}/, '      '));

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Splits a line into parts, each with its colour and weight. */
function partsOf(line) {
  const command = /^( {2}\w+ +\$)(.*)$/.exec(line);
  if (command !== null)
    return [
      [command[1], COLOURS.faint],
      [command[2], COLOURS.text, 'bold'],
    ];
  if (line.startsWith('▸')) return [[line, COLOURS.step, 'bold']];
  if (line.startsWith('  ✔')) return [[line, COLOURS.good]];
  return [[line, COLOURS.text]];
}

function drawn(line, index) {
  const spans = partsOf(line).map(
    ([text, colour, weight = 'normal']) => `<tspan fill="${colour}" font-weight="${weight}">${escaped(text)}</tspan>`,
  );
  return `<text x="${MARGIN}" y="${MARGIN + LINE * (index + 1)}" xml:space="preserve">${spans.join('')}</text>`;
}

const width = Math.ceil(2 * MARGIN + CELL * Math.max(...lines.map((line) => line.length)));
const height = 2 * MARGIN + LINE * (lines.length + 1);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"
  aria-label="etherws demo: a laptop dials a relay over TLS, pings it, and sends 256 MiB through the tunnel"
  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">
<rect width="${width}" height="${height}" rx="8" fill="${COLOURS.ground}"/>
${lines.map(drawn).join('\n')}
</svg>
`;
writeFileSync('docs/demo.svg', svg);
process.stdout.write(`docs/demo.svg: ${lines.length} lines\n`);
