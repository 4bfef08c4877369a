import { statSync } from 'node:fs';
import type { LoopDelay } from '../runtime/loop-delay.ts';
import { type Family, labelsOf, type Sample, single } from './exposition.ts';

/** The facts of the process in metrics. */
export interface MeasuredProcess {
  readonly version: string;
  readonly loopDelay: LoopDelay;
  /** The limit of open files; Infinity without one. */
  readonly descriptorLimit: number;
}

const MICROSECONDS = 1e6;

/** Names as client libraries of Prometheus have them in all languages (`process_…`), and for Node (`nodejs_…`). */
export function processFamilies({ version, loopDelay, descriptorLimit }: MeasuredProcess): Family[] {
  const build = labelsOf({ version, node: process.versions.node });
  return [
    {
      name: 'etherws_build',
      type: 'info',
      help: 'The version of etherws and of Node.js',
      samples: () => [{ labels: build, value: 1 }],
    },
    seconds('process_start_time_seconds', 'gauge', 'When the process started, in seconds since 1970', () => {
      return performance.timeOrigin / 1000;
    }),
    seconds('process_cpu_user_seconds', 'counter', 'Processor time in user mode', () => {
      return process.cpuUsage().user / MICROSECONDS;
    }),
    seconds('process_cpu_system_seconds', 'counter', 'Processor time in the kernel', () => {
      return process.cpuUsage().system / MICROSECONDS;
    }),
    seconds('process_cpu_seconds', 'counter', 'Processor time', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / MICROSECONDS;
    }),
    octets('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss()),
    octets('nodejs_heap_size_total_bytes', 'Memory of the JavaScript heap', () => process.memoryUsage().heapTotal),
    octets('nodejs_heap_size_used_bytes', 'Memory of JavaScript objects', () => process.memoryUsage().heapUsed),
    octets('nodejs_external_memory_bytes', 'Memory of buffers outside of the heap', () => {
      return process.memoryUsage().external;
    }),
    single({ name: 'process_open_fds', type: 'gauge', help: 'Open file descriptors' }, openDescriptors),
    single({ name: 'process_max_fds', type: 'gauge', help: 'The limit of open file descriptors' }, () => {
      return descriptorLimit;
    }),
    {
      name: 'etherws_event_loop_delay_seconds',
      type: 'histogram',
      unit: 'seconds',
      help: 'How long the event loop kept a timer of 1 s waiting',
      samples: () => delaySamples(loopDelay),
    },
  ];
}

function* delaySamples(loopDelay: LoopDelay): IterableIterator<Sample> {
  const { samples, sumMs } = loopDelay.total;
  const suffix = '_bucket';
  for (const { boundMs, samples: value } of loopDelay.buckets()) {
    // OpenMetrics wants bounds as floating-point numbers: `1.0`.
    const bound = boundMs % 1000 === 0 ? (boundMs / 1000).toFixed(1) : String(boundMs / 1000);
    yield { labels: labelsOf({ le: bound }), value, suffix };
  }
  yield { labels: labelsOf({ le: '+Inf' }), value: samples, suffix };
  yield { labels: '', value: sumMs / 1000, suffix: '_sum' };
  yield { labels: '', value: samples, suffix: '_count' };
}

/** Since Linux 6.2 the size of /proc/self/fd is the number of descriptors; listing 10 000 would take milliseconds. */
function openDescriptors(): number | undefined {
  try {
    return statSync('/proc/self/fd').size || undefined;
  } catch {
    return undefined;
  }
}

function seconds(name: string, type: 'gauge' | 'counter', help: string, value: () => number): Family {
  return single({ name, type, unit: 'seconds', help }, value);
}

function octets(name: string, help: string, value: () => number): Family {
  return single({ name, type: 'gauge', unit: 'bytes', help }, value);
}
