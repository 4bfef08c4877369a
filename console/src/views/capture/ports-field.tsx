import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import { Icon } from '../../parts/icon.tsx';
import { MOST_PORTS, type PortName, portIn, shownPort } from './wanted.ts';

interface PortsFieldProps {
  readonly ports: readonly PortName[];
  readonly chosen: Signal<readonly number[]>;
  readonly isDisabled: boolean;
}

/** More suggestions than these would make typing slow. */
const MOST_SUGGESTIONS = 200;

/** Ports are added one by one, by name or number, or all at once. */
export function PortsField({ ports, chosen, isDisabled }: PortsFieldProps): JSX.Element {
  const id = useId();
  const typed = useSignal('');
  const problem = useSignal('');
  const names = new Map(ports.map((port) => [port.port, port]));
  const free = ports.filter(({ port }) => !chosen.value.includes(port));

  function add(isFinal: boolean): void {
    const port = portIn(typed.value, ports);
    if (port === undefined) {
      if (isFinal && typed.value.trim() !== '') problem.value = `There is no port ${typed.value.trim()}`;
      return;
    }
    problem.value = '';
    typed.value = '';
    if (chosen.value.includes(port)) return;
    if (chosen.value.length >= MOST_PORTS) problem.value = `A capture has at most ${MOST_PORTS} ports`;
    else chosen.value = [...chosen.value, port];
  }

  // What was typed before the ports were there.
  useEffect(() => {
    if (problem.value !== '') add(true);
  }, [ports]);

  return (
    <div class="field capture-ports">
      <label class="field-label" for={id}>
        Ports
      </label>
      <div class="capture-chips">
        {chosen.value.map((port) => (
          <span key={port} class="capture-chip">
            {shownPort(names.get(port) ?? { port, name: null })}
            <button
              type="button"
              class="capture-chip-remove"
              aria-label={`Leave port ${port} out`}
              disabled={isDisabled}
              onClick={() => {
                chosen.value = chosen.value.filter((other) => other !== port);
              }}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
        <input
          id={id}
          class="input capture-port-input"
          list={`${id}-list`}
          value={typed.value}
          placeholder={chosen.value.length === 0 ? 'name or number' : 'another one'}
          disabled={isDisabled}
          autocomplete="off"
          aria-describedby={`${id}-problem`}
          onInput={({ currentTarget }) => {
            typed.value = currentTarget.value;
            problem.value = '';
            // A suggestion that was chosen is whole at once; a number may still be typed on.
            if (/\(\d+\)$/.test(typed.value)) add(false);
          }}
          onBlur={() => add(true)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || typed.value.trim() === '') return;
            event.preventDefault();
            add(true);
          }}
        />
        <datalist id={`${id}-list`}>
          {free.slice(0, MOST_SUGGESTIONS).map((port) => (
            <option key={port.port} value={shownPort(port)} />
          ))}
        </datalist>
        {free.length > 0 && ports.length <= MOST_PORTS && (
          <button
            type="button"
            class="button"
            disabled={isDisabled}
            onClick={() => {
              chosen.value = ports.map(({ port }) => port);
            }}
          >
            All ports
          </button>
        )}
      </div>
      <span class="capture-problem" id={`${id}-problem`} role="alert">
        {problem.value}
      </span>
    </div>
  );
}
