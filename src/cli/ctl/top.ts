import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlError } from '../../control/control-answer.ts';
import type { Command } from '../commander.ts';
import { EXIT_FAILURE, ReportedFailure } from '../report.ts';
import type { ControlCaller, Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { type ConnectionOptions, connect, controlUrl, gatherOptions } from './connection.ts';
import { addLeaf, describeJson } from './leaf.ts';
import { complain } from './nodes/answers.ts';
import { ClusterFeed } from './top/cluster-feed.ts';
import { LiveScreen } from './top/live-screen.ts';
import { nodeSumLine, nodeSumTable } from './top/node-sums.ts';
import { PortFeed } from './top/port-feed.ts';
import { type PortRate, RateMeter } from './top/rates.ts';
import { lastOffset, picture, portLines } from './top/screen.ts';
import { DEFAULT_SORT, plainTable, readSort, type SortOrder, sorted, topColumns } from './top/top-table.ts';

const DEFAULT_INTERVAL_S = 2;
const LEAST_INTERVAL_S = 0.2;
const MOST_INTERVAL_S = 3600;

interface TopOptions extends ConnectionOptions {
  sort?: string;
  interval?: string;
  once?: boolean;
}

/** `etherws ctl top`. */
export function addTop(ctl: Command, terminal: Terminal): void {
  const examples = ['top', 'top --sort -tx-bit/s --interval 5', 'top --once', '--cluster top'];
  describeJson(addLeaf(ctl, 'top', 'show the rates of all ports, again and again', examples), undefined)
    .option('--sort <COLUMN>', `sort by a column; -COLUMN: the highest first (default: ${DEFAULT_SORT})`)
    .option('--interval <SEC>', `time between two pictures in seconds (default: ${DEFAULT_INTERVAL_S})`)
    .option('--once', 'print one table of the rates within the interval; so it is without a terminal, too')
    .action(async (given: TopOptions, command: Command) => {
      const options = gatherOptions<TopOptions>(command);
      if (options.json === true) throw new UsageError('top prints no JSON', 'listport --json has the rates, too');
      const { cluster: isCluster = false, ...connection } = options;
      const columns = topColumns(isCluster);
      const sort = readSort(given.sort ?? DEFAULT_SORT, columns);
      const intervalMs = readInterval(given.interval) * 1000;
      const client = await connect(connection, terminal);
      const { stdin, stdout } = process;
      if (given.once !== true && stdin.isTTY && stdout.isTTY) {
        const title = `etherws ${controlUrl(options, terminal) ?? ''}`.trim();
        // A pending call would keep the process alive for up to a minute.
        process.exit(await new Top(client, { sort, intervalMs, title, isCluster }).run());
      }
      if (isCluster) {
        const feed = new ClusterFeed(client);
        await feed.take();
        await delay(intervalMs);
        await feed.take();
        terminal.print(`${plainTable(sorted(feed.ports, sort, columns), columns)}\n${nodeSumTable(feed.ports)}`);
        complain(feed.failures, terminal);
        if (feed.failures.length > 0) throw new ReportedFailure(EXIT_FAILURE);
        return;
      }
      const meter = new RateMeter('counters');
      await snapshot(client, meter);
      await delay(intervalMs);
      terminal.print(plainTable(sorted(await snapshot(client, meter), sort)));
    });
}

function readInterval(text: string = String(DEFAULT_INTERVAL_S)): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= LEAST_INTERVAL_S && seconds <= MOST_INTERVAL_S) return seconds;
  throw new UsageError(
    `--interval must be a number of seconds from ${LEAST_INTERVAL_S} to ${MOST_INTERVAL_S}, got "${text}"`,
  );
}

async function snapshot(client: ControlCaller, meter: RateMeter): Promise<PortRate[]> {
  const { entries } = await client.call('listPort', {});
  return meter.add(entries, performance.now());
}

/** The live screen: it paints what comes from the switch, at each interval, and after each key and resize. */
class Top {
  readonly #feed: PortFeed | ClusterFeed;
  readonly #isCluster: boolean;
  readonly #intervalMs: number;
  readonly #title: string;
  readonly #end = new AbortController();
  #status = 0;
  #repaint = (): void => undefined;
  #sort: SortOrder;
  #offset = 0;
  #problem: string | undefined;

  constructor(
    client: ControlCaller,
    options: { sort: SortOrder; intervalMs: number; title: string; isCluster: boolean },
  ) {
    this.#isCluster = options.isCluster;
    this.#feed = options.isCluster
      ? new ClusterFeed(client)
      : new PortFeed(client, options.intervalMs, () => this.#repaint());
    this.#sort = options.sort;
    this.#intervalMs = options.intervalMs;
    this.#title = options.title;
  }

  /** @returns the exit status: 0 after `q` or Ctrl-C, else 128 plus the number of the signal */
  async run(): Promise<number> {
    // Before the alternate screen, so that the error of an unreachable switch stays visible.
    await this.#feed.take();
    const screen = new LiveScreen(process.stdin, process.stdout, {
      key: (text) => this.#key(text, screen),
      signal: (signal) => {
        this.#status = 128 + SIGNAL_NUMBERS[signal as keyof typeof SIGNAL_NUMBERS];
        this.#end.abort();
      },
      resize: () => this.#paint(screen),
    });
    this.#repaint = () => this.#paint(screen);
    const ended = once(this.#end.signal, 'abort');
    try {
      // The first wait is 1 s at most, so that the first rates are shown soon.
      for (let waitMs = Math.min(this.#intervalMs, 1000); !this.#end.signal.aborted; waitMs = this.#intervalMs) {
        this.#paint(screen);
        await delay(waitMs, undefined, { signal: this.#end.signal }).catch(() => undefined);
        await Promise.race([this.#ask(), ended]);
      }
    } finally {
      this.#repaint = () => undefined;
      this.#feed.close();
      screen.close();
    }
    return this.#status;
  }

  /** Takes a snapshot. A failure is shown, and the next interval tries again. */
  async #ask(): Promise<void> {
    try {
      await this.#feed.take();
      const [failure] = 'failures' in this.#feed ? this.#feed.failures : [];
      this.#problem = failure === undefined ? undefined : `node ${failure.node}: ${failure.error}`;
    } catch (error) {
      this.#problem = problemOf(error);
    }
  }

  #key(text: string, screen: LiveScreen): void {
    const page = Math.max(1, portLines(screen.size));
    if (text === 'q' || text === 'Q' || text === '\x03' || text === '\x04') this.#end.abort();
    else if (text === 's')
      this.#sort = { ...this.#sort, column: (this.#sort.column + 1) % topColumns(this.#isCluster).length };
    else if (text === 'r') this.#sort = { ...this.#sort, isDescending: !this.#sort.isDescending };
    else if (UP.includes(text)) this.#offset--;
    else if (DOWN.includes(text)) this.#offset++;
    else if (text === '\x1b[5~') this.#offset -= page;
    else if (text === '\x1b[6~') this.#offset += page;
    else return;
    this.#paint(screen);
  }

  #paint(screen: LiveScreen): void {
    const { size } = screen;
    const { ports } = this.#feed;
    this.#offset = Math.min(Math.max(0, this.#offset), lastOffset(ports.length, size));
    const view = {
      ...{ sort: this.#sort, offset: this.#offset, title: this.#title, problem: this.#problem },
      columns: topColumns(this.#isCluster),
      ...(this.#isCluster ? { nodes: nodeSumLine(ports) } : {}),
    };
    screen.show(picture(ports, view, size));
  }
}

function problemOf(error: unknown): string {
  if (error instanceof ControlError) return error.data;
  return error instanceof Error ? error.message : String(error);
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const UP = ['\x1b[A', '\x1bOA', 'k'];
const DOWN = ['\x1b[B', '\x1bOB', 'j'];
