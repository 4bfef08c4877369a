import { useEffect, useRef, useState } from 'preact/hooks';
import { idOf } from './graph.ts';
import { type StationIndex, StationIndexer } from './station-index.ts';
import type { Tables } from './tables.ts';
import { BOUNDS } from './topology.ts';

/** A first slice is within the render: a small table is shown without a delay. The others are tasks of their own. */
const FIRST_MS = 5;
const SLICE_MS = 6;

interface Pass {
  readonly indexer: StationIndexer;
  readonly of: readonly [stations: Tables['stations'], opened: ReadonlySet<string>];
  readonly version: unknown;
  isDone: boolean;
}

/**
 * The index of the stations, as of the last whole pass. A pass ends before the next one begins, however often the table changes.
 * @param version another value when the table has changed
 * @param opened ids of the groups whose stations are drawn singly
 */
export function useStationIndex(
  stations: Tables['stations'],
  version: unknown,
  opened: ReadonlySet<string>,
): StationIndex {
  const last = useRef<StationIndex>({ byPort: new Map(), flapping: new Map() });
  const current = useRef<Pass | undefined>(undefined);
  const [, setPass] = useState<unknown>(null);
  const before = current.current;
  const isOther = before === undefined || before.of[0] !== stations || before.of[1] !== opened;
  if (isOther || (before.isDone && before.version !== version)) current.current = begin(stations, version, opened);
  const pass = current.current as Pass;
  useEffect(() => {
    if (pass.isDone) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const step = (): void => {
      pass.isDone = pass.indexer.run(SLICE_MS);
      if (pass.isDone) setPass(pass);
      else timer = setTimeout(step);
    };
    timer = setTimeout(step);
    return () => clearTimeout(timer);
  }, [pass]);
  if (pass.isDone) last.current = pass.indexer;
  return last.current;
}

function begin(stations: Tables['stations'], version: unknown, opened: ReadonlySet<string>): Pass {
  const most = (port: number): number => (opened.has(idOf.stations(port)) ? BOUNDS.opened : BOUNDS.stations);
  const indexer = new StationIndexer(stations, most);
  return { indexer, of: [stations, opened], version, isDone: indexer.run(FIRST_MS) };
}
