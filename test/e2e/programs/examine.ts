/*
 * Examines a program of Node whose inspector listens on this host (after SIGUSR1):
 * collects its garbage and prints one JSON line, an Examined.
 *
 *   examine.js
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

export interface Examined {
  /** the octets of live objects in V8's heap */
  readonly heapBytes: number;
  /** the octets of buffers outside of the heap */
  readonly externalBytes: number;
  /** the resources that keep the event loop alive */
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

// Some objects can be collected only by the next collection, so the least of several results counts.
let least: Examined | undefined;
for (let pass = 0; pass < 5; pass++) {
  await ask('HeapProfiler.collectGarbage');
  const { result } = await ask('Runtime.evaluate', { expression: WANTED });
  const examined = JSON.parse(result?.value ?? '') as Examined;
  if (least === undefined || examined.heapBytes < least.heapBytes) least = examined;
}
process.stdout.write(`${JSON.stringify(least)}\n`);
inspector.close();
