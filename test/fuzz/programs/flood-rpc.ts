/*
 * flood-rpc.js PORT SEED CASES: posts hostile bodies to the control API on this
 * host, one after the other. Every answer has to be a JSON-RPC answer, nothing
 * for notifications, or a refusal of HTTP that is the client's fault. Prints
 * how often each status came.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Random } from '../../support/random.ts';
import { hostileBody } from '../rpc-body.ts';

const [port = 0, seed = 0, cases = 0] = process.argv.slice(2).map(Number);
const random = new Random(seed);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const statuses: Record<number, number> = {};

for (let number = 0; number < cases; number++) {
  const body = hostileBody(random);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  const outgoing = request({ host: '127.0.0.1', port, path: '/ctl', method: 'POST', agent, headers });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const answer = await text(response);
  const { statusCode: status = 0 } = response;
  statuses[status] = (statuses[status] ?? 0) + 1;
  if (status === 200) JSON.parse(answer);
  else if (status === 204 ? answer !== '' : status < 400 || status > 499) {
    throw new Error(`case ${number} of seed ${seed}: status ${status} for ${body.toString('base64')}`);
  }
}
agent.destroy();
process.stdout.write(`${JSON.stringify(statuses)}\n`);
