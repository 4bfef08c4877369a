import type { JSX } from 'preact';
import { Icon } from '../../parts/icon.tsx';
import '../../parts/toolbar.css';
import type { Matches } from './search.ts';

interface ToolsProps {
  readonly find: string;
  readonly matches: Matches;
  /** which of the matches is in the centre, from 0 */
  readonly place: number;
  readonly isList: boolean;
  readonly onFind: (text: string) => void;
  readonly onNext: () => void;
  readonly onList: () => void;
  readonly onFit: () => void;
  readonly onRearrange: () => void;
  readonly onZoom: (isIn: boolean) => void;
}

/** The search and the buttons above the picture. */
export function Tools(props: ToolsProps): JSX.Element {
  const { find, matches, place, isList, onFind, onNext, onList, onFit, onRearrange, onZoom } = props;
  return (
    <div class="toolbar topology-tools">
      <h1 class="toolbar-title">Topology</h1>
      <label class="search">
        <span class="hidden-text">Search the topology</span>
        <span class="search-icon">
          <Icon name="search" />
        </span>
        <input
          class="input search-input"
          type="search"
          data-search
          placeholder="MAC, IP address or name"
          value={find}
          onInput={({ currentTarget }) => onFind(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onNext();
          }}
        />
      </label>
      <span class="topology-count" role="status">
        {find.trim() === '' ? '' : countOf(matches, place)}
      </span>
      <span class="topology-space" />
      {!isList && (
        <>
          <button type="button" class="button topology-zoom" aria-label="Zoom out" onClick={() => onZoom(false)}>
            −
          </button>
          <button type="button" class="button topology-zoom" aria-label="Zoom in" onClick={() => onZoom(true)}>
            +
          </button>
          <button type="button" class="button" onClick={onFit}>
            Fit
          </button>
          <button type="button" class="button" onClick={onRearrange}>
            Arrange anew
          </button>
        </>
      )}
      <button type="button" class="button" aria-pressed={isList} onClick={onList}>
        {isList ? 'Picture' : 'List'}
      </button>
    </div>
  );
}

function countOf({ ids, isMore }: Matches, place: number): string {
  if (ids.length === 0) return 'Nothing matches';
  return `${(place % ids.length) + 1} of ${ids.length}${isMore ? ' and more' : ''}; Enter: next`;
}
