import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { PortEntry } from '../../../../src/control/entries.ts';
import { useTable } from '../../live/live.ts';
import { failureText } from '../../parts/failure.ts';
import { Icon } from '../../parts/icon.tsx';
import { route } from '../../router.ts';
import { capture } from './capture-session.ts';
import { PortsField } from './ports-field.tsx';
import { filterOf, MOST_PORTS, macOf, type PortName, portsOf } from './wanted.ts';

/** What was typed last stays when another view was shown in between. */
const kept = { ports: [] as readonly number[], station: '', filter: '' };

/** Which frames: ports, a station, a filter; start and stop. */
export function CaptureForm(): JSX.Element {
  const id = useId();
  const ports = usePorts();
  const chosen = useSignal<readonly number[]>(kept.ports);
  const station = useSignal(kept.station);
  const filter = useSignal(kept.filter);
  useRoute(chosen, station);
  Object.assign(kept, { ports: chosen.value, station: station.value, filter: filter.value });

  const state = capture.state.value;
  const isBusy = state === 'starting' || state === 'running' || state === 'ending';
  const isStationWrong = station.value.trim() !== '' && macOf(station.value) === undefined;
  const problem = isStationWrong ? 'No MAC address; write it as 02:00:00:00:00:0a' : '';

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (isStationWrong) return;
    // A station is followed wherever it moves, if the capture may have so many ports.
    const isAnywhere = chosen.value.length === 0 && macOf(station.value) !== undefined && ports.length <= MOST_PORTS;
    const wanted = isAnywhere ? ports.map(({ port }) => port) : chosen.value;
    capture.start({ ports: wanted, filter: filterOf(station.value, filter.value) });
  }

  return (
    <form class="capture-form" onSubmit={submit}>
      <PortsField ports={ports} chosen={chosen} isDisabled={isBusy} />
      <div class="field capture-station">
        <label class="field-label" for={`${id}-station`}>
          Follow a station
        </label>
        <input
          id={`${id}-station`}
          class="input mono"
          value={station.value}
          placeholder="MAC address"
          disabled={isBusy}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={isStationWrong}
          aria-describedby={`${id}-problem`}
          onInput={({ currentTarget }) => {
            station.value = currentTarget.value;
          }}
        />
        <span class="capture-problem" id={`${id}-problem`}>
          {problem}
        </span>
      </div>
      <div class="field capture-filter">
        <label class="field-label" for={`${id}-filter`}>
          Filter
        </label>
        <input
          id={`${id}-filter`}
          class="input mono"
          data-search
          value={filter.value}
          placeholder="such as: tcp port 80 and host 192.0.2.1"
          disabled={isBusy}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            filter.value = currentTarget.value;
          }}
        />
      </div>
      <div class="capture-buttons">
        {isBusy ? (
          <button type="button" class="button" disabled={state !== 'running'} onClick={() => capture.stop()}>
            <Icon name="stop" /> Stop
          </button>
        ) : (
          <button
            type="submit"
            class="button button-main"
            disabled={
              isStationWrong || (chosen.value.length === 0 && (station.value === '' || ports.length > MOST_PORTS))
            }
          >
            <Icon name="play" /> Start
          </button>
        )}
      </div>
      <Failure />
    </form>
  );
}

/** Why the switch refuses the capture, such as a mistake in the filter. */
function Failure(): JSX.Element {
  const failure = capture.failure.value;
  return (
    <div class="capture-failure" role="alert">
      {failure !== null && <p class="notice notice-bad">{failureText(failure)}</p>}
    </div>
  );
}

function usePorts(): readonly PortName[] {
  const table = useTable<PortEntry>('ports');
  const ports = useRef<readonly PortName[]>([]);
  ports.current = portsOf(table.rows.values(), ports.current);
  return ports.current;
}

/** `#/capture?port=3` and `#/capture?station=02:00:00:00:00:0a` fill the form. */
function useRoute(chosen: Signal<readonly number[]>, station: Signal<string>): void {
  const { query } = route.value;
  useEffect(() => {
    const wanted = query.get('station');
    const port = Number(query.get('port') ?? 0);
    if (wanted === undefined && !(port > 0)) return;
    station.value = wanted ?? '';
    chosen.value = port > 0 ? [port] : [];
  }, [query, chosen, station]);
}
