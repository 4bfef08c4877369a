import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Plot } from '../../parts/plot.tsx';
import { bitRate, milliseconds, octets } from '../../parts/units.ts';
import { history, wantPast } from './past.ts';
import type { Port } from './port-text.ts';

/** Five minutes, one sample a second. */
const SAMPLES = 300;
const SAMPLE_MS = 1000;

/** The least ends of the axes, so that a few frames do not fill them. */
const LEAST_BIT_RATE = 10_000;
const LEAST_OCTETS = 4096;

interface Sample {
  readonly time: number;
  readonly receive: number;
  readonly transmit: number;
  readonly roundTripMs: number | null;
  readonly queuedOctets: number | null;
}

/** The traffic of a port; of a tunnel its round trip and its queue, too, since it is shown. */
export function Curves({ port }: { readonly port: Port }): JSX.Element {
  const latest = useRef(port);
  latest.current = port;
  const samples = useSignal<readonly Sample[]>(useMemo(() => [...pastOf(port), sampleOf(port)], []));
  useEffect(() => {
    const timer = setInterval(() => {
      samples.value = [...samples.value.slice(1 - SAMPLES), sampleOf(latest.current)];
    }, SAMPLE_MS);
    // A sample that is here already has the round trip and the queue, too.
    let isShown = true;
    void wantPast(port.port).then(() => {
      const [first] = samples.value;
      const past = pastOf(port).filter(({ time }) => first === undefined || time < first.time - SAMPLE_MS / 2000);
      if (isShown) samples.value = [...past, ...samples.value];
    });
    return () => {
      isShown = false;
      clearInterval(timer);
    };
  }, [samples]);
  const column = (of: (sample: Sample) => number | null): (number | null)[] => samples.value.map(of);
  const times = column(({ time }) => time);
  return (
    <div class="details-section details-curves">
      <Plot
        label="Bits a second received and sent"
        data={[times, column(({ receive }) => receive), column(({ transmit }) => transmit)]}
        series={[
          { label: 'Receives', color: 'receive' },
          { label: 'Sends', color: 'transmit' },
        ]}
        format={bitRate}
        least={LEAST_BIT_RATE}
        isBesideSecond={port.wire !== null}
      />
      {port.wire !== null && (
        <Plot
          label="Round trip and waiting octets of the tunnel"
          data={[times, column(({ roundTripMs }) => roundTripMs), column(({ queuedOctets }) => queuedOctets)]}
          series={[
            { label: 'Round trip', color: 'receive' },
            { label: 'Queue', color: 'transmit', isSecond: true },
          ]}
          format={milliseconds}
          formatSecond={octets}
          leastSecond={LEAST_OCTETS}
        />
      )}
    </div>
  );
}

/** What the table has seen of the port in the last minute. */
function pastOf({ port }: Port): Sample[] {
  const { receive, transmit } = history.seriesOf(String(port));
  const now = Date.now();
  const past: Sample[] = [];
  for (const [at, value] of receive.entries()) {
    const time = (now - (receive.length - at) * SAMPLE_MS) / 1000;
    if (Number.isNaN(value)) continue;
    past.push({ time, receive: value, transmit: transmit[at] ?? 0, roundTripMs: null, queuedOctets: null });
  }
  return past;
}

function sampleOf(port: Port): Sample {
  const { rxBitRate, txBitRate, roundTripMs, queuedOctets } = port;
  return { time: Date.now() / 1000, receive: rxBitRate, transmit: txBitRate, roundTripMs, queuedOctets };
}
