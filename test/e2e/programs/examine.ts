/*
 * Looks into a program of Node whose inspector listens on this host (SIGUSR1 makes
 * it do so): collects its garbage and prints one JSON line, an Examined.
 *
 *   examine.js
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

export interface Examined {
  /** Of live objects, in V8's heap. */
  readonly heapBytes: number;
  /** Of buffers and the like, outside of it. */
  readonly externalBytes: number;
  /** What keeps the event loop going. */
  readonly resources: readonly string[];
}

interface Result {
  readonly result?: { readonly value?: string };
}

const WANTED = `(() => {
  const { heapUsed, external } = process.memoryUsage();
  return JSON.stringify({ heapBytes: heapUsed, externalBytes: external, resources: process.getActiveResourcesInfo() });
})()`;

async function addressOfInspector(): Promise<string> {
  const [response] = (await once(get('http://127.0.0.1:9229/json/list'), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const [target] = JSON.parse(text) as { webSocketDebuggerUrl: string }[];
  return target?.webSocketDebuggerUrl ?? '';
}

const inspector = new WebSocket(await addressOfInspector());
await once(inspector, 'open');
const asked = new Map<number, (result: Result) => void>();
inspector.on('message', (data: Buffer) => {
  const { id, result } = JSON.parse(data.toString()) as { id?: number; result?: Result };
  if (id !== undefined) asked.get(id)?.(result ?? {});
});

function ask(method: string, params: object = {}): Promise<Result> {
  return new Promise((resolve) => {
    const id = asked.size;
    asked.set(id, resolve);
    inspector.send(JSON.stringify({ id, method, params }));
  });
}

// A pass may find objects that only the next one can collect: the least is what is really held.
let least: Examined | undefined;
for (let pass = 0; pass < 5; pass++) {
  await ask('HeapProfiler.collectGarbage');
  const { result } = await ask('Runtime.evaluate', { expression: WANTED });
  const examined = JSON.parse(result?.value ?? '') as Examined;
  if (least === undefined || examined.heapBytes < least.heapBytes) least = examined;
}
process.stdout.write(`${JSON.stringify(least)}\n`);
inspector.close();
