import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkState, PortEvents } from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { Switch } from './switch.ts';

class DialledPort extends MemoryPort {
  readonly meshNode?: string;
  events: PortEvents | undefined;

  constructor(meshNode?: string) {
    super();
    if (meshNode !== undefined) this.meshNode = meshNode;
  }

  override open(events: PortEvents): void {
    this.events = events;
  }
}

test('attempts to dial another node are logged at debug, and links of it that come and go at info', async (t) => {
  const lines: string[] = [];
  const log =
    (level: string) =>
    (facts: object, message: string): void => {
      if (message === 'link changed') lines.push(`${level} ${(facts as { state: string }).state}`);
    };
  const logger: Logger = {
    ...{ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    isLevelEnabled: () => true,
  };
  const etherSwitch = new Switch({ logger });
  t.after(() => etherSwitch.close());
  const linesOf = (port: DialledPort, states: readonly LinkState[]): string[] => {
    lines.length = 0;
    for (const state of states) port.events?.linkChanged(state);
    return [...lines];
  };
  const [mesh, client] = [new DialledPort('r2'), new DialledPort()];
  etherSwitch.attach(mesh);
  etherSwitch.attach(client);
  const states = ['backoff', 'connecting', 'backoff', 'connecting', 'up', 'down'] as const;
  assert.deepEqual(linesOf(mesh, states), [
    ...['info backoff', 'debug connecting', 'debug backoff', 'debug connecting', 'info up', 'info down'],
  ]);
  assert.deepEqual(
    linesOf(client, states),
    states.map((state) => `info ${state}`),
  );
});
