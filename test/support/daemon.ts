import type { TestContext } from 'node:test';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { Logger } from '../../src/observability/logger.ts';
import { configOf, type SwOptions } from './sw-options.ts';

interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly fields: { readonly service?: unknown; readonly port?: unknown; readonly origin?: unknown };
}

/** A daemon in this process, whose services have free ports of the loopback. */
export class TestDaemon {
  readonly daemon: Daemon;
  readonly tunnelPort: number;
  readonly controlPort: number;
  readonly log: readonly LogRecord[];

  private constructor(daemon: Daemon, log: readonly LogRecord[]) {
    this.daemon = daemon;
    this.log = log;
    this.tunnelPort = portOf(log, 'tunnels');
    this.controlPort = portOf(log, 'control');
  }

  /** Starts a switch with these options of `etherws sw`, and closes it after the test. */
  static async start(t: TestContext, options: SwOptions = {}): Promise<TestDaemon> {
    const log: LogRecord[] = [];
    const daemon = await Daemon.start(configOf({ ...DEFAULTS, ...options }), recordingLogger(log));
    t.after(() => daemon.close());
    return new TestDaemon(daemon, log);
  }

  /** The whole log as text, to be searched for texts that it must not have. */
  get logText(): string {
    return JSON.stringify(this.log);
  }
}

const DEFAULTS: SwOptions = { host: '127.0.0.1', port: '0', ctlhost: 'localhost', ctlport: '0' };

function recordingLogger(log: LogRecord[]): Logger {
  const at = (level: string) => (fields: object, message: string) => void log.push({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), isLevelEnabled: () => false };
}

function portOf(log: readonly LogRecord[], service: string): number {
  const record = log.find(({ message, fields }) => message === 'listening' && fields.service === service);
  return Number(record?.fields.port);
}
