import type { JSX } from 'preact';
import { Icon } from '../../parts/icon.tsx';
import { dateAndClock } from '../../parts/time.ts';
import { BADGES, SEVERITY_WORDS } from './columns.tsx';
import { factsOf } from './event-facts.ts';
import type { EventLine } from './event-log.ts';

/** All facts of one event. */
export function EventDetails({
  line,
  onClose,
}: {
  readonly line: EventLine;
  readonly onClose: () => void;
}): JSX.Element {
  const { event, sentence, severity } = line;
  const { time, event: kind } = event;
  return (
    <aside class="events-details" aria-label="Event">
      <div class="events-details-head">
        <span class={`badge ${BADGES[severity]}`}>{SEVERITY_WORDS[severity]}</span>
        <button type="button" class="button button-quiet" aria-label="Close the event" data-closes onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <p class="events-details-sentence">{sentence}</p>
      <p class="muted">
        {dateAndClock(time)} · <code>{kind}</code>
      </p>
      <dl class="events-facts">
        {factsOf(event).map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </aside>
  );
}
