import type { Browser, Page } from 'playwright-core';

/** An event of Chromium's tracing: times in µs, by the clock and by processor time. */
interface TraceEvent {
  readonly name: string;
  readonly tid: number;
  readonly pid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The tasks of the main thread of a page, in ms by the clock and of the processor. */
export interface Tasks {
  readonly clock: readonly number[];
  readonly processor: readonly number[];
}

/** Traces a page while it is used. A frame waits for one task at most. */
export async function tasksDuring(browser: Browser, page: Page, use: () => Promise<void>): Promise<Tasks> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await use();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const isMain = ({ pid, tid }: TraceEvent): boolean => mains.some((main) => main.pid === pid && main.tid === tid);
  const tasks = traceEvents.filter((event) => event.name === 'ThreadControllerImpl::RunTask' && isMain(event));
  return {
    clock: tasks.map(({ dur = 0 }) => dur / 1000),
    processor: tasks.map(({ tdur = 0 }) => tdur / 1000),
  };
}

export function summaryOf({ clock, processor }: Tasks): string {
  return `${clock.length} tasks of the main thread, of the processor: ${longestOf(processor)}; by the clock: ${longestOf(clock)}`;
}

function longestOf(tasks: readonly number[]): string {
  const sorted = [...tasks].sort((one, other) => other - one);
  const longest = sorted.slice(0, 3).map((ms) => ms.toFixed(0));
  return `longest ${longest.join(', ')} ms, above 50 ms: ${tasks.filter((ms) => ms > 50).length}`;
}
