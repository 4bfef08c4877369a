import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { FindingEntry } from '../../../../src/control/finding-entries.ts';
import type { StatusEntry } from '../../../../src/control/schema.ts';
import { call, useTable } from '../../live/live.ts';
import { failureText } from '../../parts/failure.ts';
import { Plot } from '../../parts/plot.tsx';
import { duration, nowMs } from '../../parts/time.ts';
import { Toolbar } from '../../parts/toolbar.tsx';
import { milliseconds, octets } from '../../parts/units.ts';
import { may } from '../../session.ts';
import { ClusterList } from './cluster-list.tsx';
import { FaultList } from './fault-list.tsx';
import { FindingList } from './finding-list.tsx';
import { LimitList } from './limit-list.tsx';
import { Samples } from './samples.ts';
import { verdictOf } from './verdict.ts';
import './health.css';

/** The observed status: the start stands in the place of the uptime, so that it does not differ each second. */
type LiveStatus = Omit<StatusEntry, 'uptimeSeconds'> & { readonly started?: string };

const EXAMINE_MS = 30_000;
/** They live as long as the page. */
const samples = new Samples();

/** How the switch is: what an operator has to do, its memory, the delay of its event loop, its limits. */
export function HealthView(): JSX.Element {
  const table = useTable<LiveStatus>('status');
  const version = table.version.value;
  const status = table.rows.get('status');
  const findings = useSignal<readonly FindingEntry[] | null>(null);
  const failure = useSignal<string | null>(null);

  const examine = (): void => {
    call<FindingEntry>('listFinding').then(
      (entries) => {
        findings.value = entries;
        failure.value = null;
      },
      (error) => {
        failure.value = failureText(error);
      },
    );
  };
  useEffect(() => {
    if (!may('listFinding')) return undefined;
    examine();
    const timer = setInterval(examine, EXAMINE_MS);
    return () => clearInterval(timer);
  }, []);
  // The clock ticks once a second, also while the status stays the same.
  const second = Math.floor(nowMs.value / 1000);
  const plots = useMemo(() => sample(status, second), [status, second, version]);

  if (status === undefined) return <div class="health" aria-busy="true" />;
  const { memory, eventLoop } = status;
  const verdict = findings.value === null ? undefined : verdictOf(findings.value);
  return (
    <div class="health">
      <Toolbar>
        <h1 class="toolbar-title">Health</h1>
        {verdict !== undefined && (
          <span class={`badge badge-${verdict.state} health-verdict`} role="status">
            {verdict.sentence}
          </span>
        )}
        <span class="muted">{ageOf(status, second)}</span>
        <span class="toolbar-end" />
        {may('listFinding') && (
          <button type="button" class="button" onClick={examine}>
            Examine again
          </button>
        )}
      </Toolbar>
      <div class="health-cards">
        <Card title="Findings" isWide>
          {failure.value !== null && <p class="notice notice-bad">{failure.value}</p>}
          {findings.value !== null && <FindingList findings={findings.value} />}
          {!may('listFinding') && <p class="muted">The policy does not let you call listFinding.</p>}
        </Card>
        <Card title="Event loop">
          <Plot
            label={`Delay of the event loop: at most ${milliseconds(eventLoop.maxMs)} within the last minute`}
            data={plots.loop}
            series={[
              { label: 'most within a minute', color: 'transmit' },
              { label: 'mean', color: 'receive' },
            ]}
            format={milliseconds}
          />
          <p class="health-hint">Frames wait as long as the event loop is late. Below 50 ms is usual.</p>
        </Card>
        <Card title="Memory">
          <Plot
            label={`Memory: ${octets(memory.residentBytes)} resident`}
            data={plots.memory}
            series={[
              { label: 'resident', color: 'transmit' },
              { label: 'heap', color: 'receive' },
            ]}
            format={octets}
          />
          <p class="health-hint">{octets(memory.bufferBytes)} of frames wait in queues.</p>
        </Card>
        <Card title="Limits">
          <LimitList limits={status.limits} />
        </Card>
        <Card title="Discards for faults">
          <FaultList faults={status.faults} />
        </Card>
        <Card title="Services">
          <dl class="health-facts">
            {status.services.map(({ service, url }) => (
              <>
                <dt>{service}</dt>
                <dd>
                  <code>{url}</code>
                </dd>
              </>
            ))}
            <dt>connected</dt>
            <dd>
              {status.tunnels.dialled} dialled, {status.tunnels.accepted} accepted, {status.tunnels.users} users
            </dd>
          </dl>
        </Card>
        {status.cluster !== undefined && (
          <Card title="Cluster">
            <ClusterList cluster={status.cluster} />
          </Card>
        )}
        <Card title="Configuration">
          <Deviations {...status.configuration} />
        </Card>
      </div>
    </div>
  );
}

function Card({ title, isWide = false, children }: CardProps): JSX.Element {
  return (
    <section class={`health-card${isWide ? ' health-wide' : ''}`} aria-label={title}>
      <h2 class="health-title">{title}</h2>
      {children}
    </section>
  );
}

interface CardProps {
  readonly title: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

function Deviations({ file, deviations }: LiveStatus['configuration']): JSX.Element {
  if (file === null) {
    return (
      <p class="muted">
        The switch was started without a file. <code>etherws ctl save</code> prints the running state as one.
      </p>
    );
  }
  if (deviations.length === 0) {
    return (
      <p>
        The switch runs as <code>{file}</code> says.
      </p>
    );
  }
  return (
    <>
      <p>
        The running state differs from <code>{file}</code>:
      </p>
      <ul class="health-deviations">
        {deviations.map((deviation) => (
          <li key={deviation}>{deviation}</li>
        ))}
      </ul>
      <p class="health-hint">
        <code>etherws ctl reload</code> applies the file, <code>etherws ctl save</code> prints the running state.
      </p>
    </>
  );
}

function ageOf({ version, started, pid }: LiveStatus, second: number): string {
  const up = started === undefined ? '' : `, up for ${duration(second - Date.parse(started) / 1000)}`;
  return `etherws ${version}${up}, process ${pid}`;
}

function sample(
  status: LiveStatus | undefined,
  timeS: number,
): { readonly memory: readonly number[][]; readonly loop: readonly number[][] } {
  if (status !== undefined) {
    const { memory, eventLoop } = status;
    const { residentBytes, heapBytes } = memory;
    samples.add({ timeS, residentBytes, heapBytes, loopMaxMs: eventLoop.maxMs, loopMeanMs: eventLoop.meanMs });
  }
  const times = samples.column('timeS');
  return {
    memory: [times, samples.column('residentBytes'), samples.column('heapBytes')],
    loop: [times, samples.column('loopMaxMs'), samples.column('loopMeanMs')],
  };
}
