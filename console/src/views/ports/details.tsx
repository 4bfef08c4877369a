import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PortPage } from '../../../../src/control/status-entries.ts';
import { call } from '../../live/live.ts';
import { Icon } from '../../parts/icon.tsx';
import { may } from '../../session.ts';
import { Actions } from './actions.tsx';
import { StateBadge } from './columns.tsx';
import { Curves } from './curves.tsx';
import { DiscardList } from './discard-list.tsx';
import { Facts } from './facts.tsx';
import { type Port, titleOf } from './port-text.ts';
import { Section } from './section.tsx';
import './details.css';

const REFRESH_MS = 2000;

interface DetailsProps {
  /** undefined: there is no such port (any more) */
  readonly port: Port | undefined;
  /** how the link named it */
  readonly selected: string;
  readonly others: readonly Port[];
  readonly onClose: () => void;
}

/** A port with all that the switch knows of it, beside the table. */
export function Details({ port, selected, others, onClose }: DetailsProps): JSX.Element {
  const title = port === undefined ? `Port ${selected}` : titleOf(port);
  return (
    <aside class="details" aria-label={`Port ${title}`}>
      <header class="details-head">
        <div class="details-name">
          <h2 class="details-title">{title}</h2>
          <p class="details-sub muted">
            {port !== undefined && (
              <>
                Port {port.port}, {port.type} {port.name !== null && port.target}
              </>
            )}
          </p>
        </div>
        {port !== undefined && <StateBadge port={port} />}
        <button type="button" class="button button-quiet" aria-label="Close" data-closes onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {port === undefined ? (
        <p class="details-section">There is no port {selected} any more.</p>
      ) : (
        <Known port={port} others={others} onClose={onClose} />
      )}
    </aside>
  );
}

interface KnownProps {
  readonly port: Port;
  readonly others: readonly Port[];
  readonly onClose: () => void;
}

function Known({ port, others, onClose }: KnownProps): JSX.Element {
  const page = usePage(port.port);
  return (
    <>
      {port.reason !== null && <p class="details-section notice notice-warning">{port.reason}</p>}
      {port.description !== null && <p class="details-section">{port.description}</p>}
      <Actions port={port} others={others} onRemoved={onClose} />
      <Curves port={port} />
      <Section title="Discards">
        <DiscardList port={port} />
      </Section>
      <Facts port={port} page={page} />
    </>
  );
}

/** All facts of a port, asked for again as long as it is shown; null before the first answer, or if that is not allowed. */
function usePage(port: number): PortPage | null {
  const page = useSignal<PortPage | null>(null);
  const isAllowed = may('getPort');
  useEffect(() => {
    if (!isAllowed) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    const ask = async (): Promise<void> => {
      try {
        const [answer] = await call<PortPage>('getPort', { port });
        page.value = answer ?? null;
      } catch {
        // The port is gone, or the connection: the page says so elsewhere.
      }
      if (!isGone) timer = setTimeout(() => void ask(), REFRESH_MS);
    };
    void ask();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [port, isAllowed, page]);
  return page.value;
}
