import type { PingEntry } from '../../control/reach-entries.ts';
import { escapeSentence } from '../format.ts';

/** A line about one request, such as `answer from MAC at port 3: arp seq=1 time=0.4 ms`. */
export function lineOf(entry: PingEntry, sequence: number): string {
  const { asked, by, mac, ip, port, portName, meshNode, roundTripMs } = entry;
  if (by === null || roundTripMs === null) return `no answer seq=${sequence} asked=${asked.join(',')}\n`;
  const who = mac === null ? 'the peer' : `${mac}${ip === null ? '' : ` (${ip})`}`;
  const behind = meshNode === undefined ? '' : `, mesh tunnel to node ${meshNode}`;
  const place = port === null ? '' : ` at port ${port}${portName === null ? '' : ` (${portName})`}${behind}`;
  return `${escapeSentence(`answer from ${who}${place}: ${by} seq=${sequence} time=${roundTripMs.toFixed(3)} ms`)}\n`;
}

/** The statistics of several requests. */
export function summaryOf(target: string, entries: readonly PingEntry[]): string {
  const times = entries.flatMap(({ roundTripMs }) => (roundTripMs === null ? [] : [roundTripMs]));
  const lost = entries.length === 0 ? 0 : Math.round((100 * (entries.length - times.length)) / entries.length);
  const lines = [
    `--- ${target} ping statistics ---`,
    `${entries.length} requests, ${times.length} answers, ${lost}% lost`,
  ];
  if (times.length > 0) {
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const figures = [Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(3)).join('/');
    lines.push(`round trip min/avg/max = ${figures} ms`);
  }
  return `${lines.map(escapeSentence).join('\n')}\n`;
}
