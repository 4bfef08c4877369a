import type { JSX } from 'preact';
import { Icon } from '../../parts/icon.tsx';
import type { Facts } from './facts.ts';

interface DetailsProps {
  readonly facts: Facts;
  /** the text of the button that opens or closes a group; undefined: it is none */
  readonly groupAction: string | undefined;
  readonly onGroup: () => void;
  readonly onClose: () => void;
}

/** The panel about the selected node. */
export function Details({ facts, groupAction, onGroup, onClose }: DetailsProps): JSX.Element {
  const { kind, title, reason, rows, ways } = facts;
  return (
    <aside class="topology-details" aria-label="Details">
      <div class="topology-details-head">
        <h2 class="topology-details-title">{title}</h2>
        <button type="button" class="button button-quiet" aria-label="Close the details" data-closes onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <p class="topology-details-kind">{kind}</p>
      {reason !== '' && <p class="notice notice-warning">{reason}</p>}
      <dl class="topology-facts">
        {rows.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <div class="topology-actions">
        {groupAction !== undefined && (
          <button type="button" class="button" onClick={onGroup}>
            {groupAction}
          </button>
        )}
        {ways.map(([text, hash]) => (
          <a key={hash} class="button" href={hash}>
            {text}
          </a>
        ))}
      </div>
    </aside>
  );
}
