import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Empty } from '../../parts/empty.tsx';
import { counted } from '../../parts/units.ts';
import { go, route } from '../../router.ts';
import { session } from '../../session.ts';
import { Details } from './details.tsx';
import { factsOf } from './facts.ts';
import type { Graph } from './graph.ts';
import { Layout } from './layout.ts';
import { Legend } from './legend.tsx';
import { LinkList } from './link-list.tsx';
import { Picture } from './picture.tsx';
import { search } from './search.ts';
import type { Stage } from './stage.ts';
import { Tools } from './tools.tsx';
import { topologyOf } from './topology.ts';
import { useSettled } from './use-settled.ts';
import { useStationIndex } from './use-station-index.ts';
import { useTables } from './use-tables.ts';
import './topology.css';

/** The places live as long as the page: a view that is shown again looks as before. */
const layout = new Layout(() => innerHeight > innerWidth);
/** The place of the stations among the versions of `useTables`. */
const STATIONS = 1;
const NONE: ReadonlySet<string> = new Set();

/** The picture of the switch, its networks, ports, stations and neighbours, live. */
export function TopologyView(): JSX.Element {
  const { tables, versions: latest, isComplete } = useTables();
  const versions = useSettled(latest);
  const [opened, setOpened] = useState(NONE);
  const [selected, setSelected] = useState<string | null>(null);
  const [isList, setList] = useState(false);
  const [place, setPlace] = useState(0);
  const stage = useRef<Stage>(null);
  const find = route.value.query.get('find') ?? '';

  const matches = useMemo(() => search(tables, find), [find, ...versions]);
  // Stays the same set while the same is found, so that the picture does not change each second.
  const foundIds = matches.ids.join('\n');
  const found = useMemo(() => new Set(matches.ids), [foundIds]);
  const revealed = useMemo(() => withParents(found, tables), [found]);
  const stations = useStationIndex(tables.stations, versions[STATIONS], opened);
  const graph = useMemo(
    () => topologyOf(tables, { name: session.value?.name ?? 'this switch', opened, revealed, stations }),
    [opened, revealed, session.value, stations, ...versions],
  );
  const current = matches.ids[place % Math.max(1, matches.ids.length)];
  useEffect(() => setPlace(0), [find]);
  useEffect(() => {
    if (current === undefined) return;
    setSelected(current);
    stage.current?.centre(current);
  }, [current]);

  if (!isComplete) return <div class="topology" aria-busy="true" />;
  const node = graph.nodes.find(({ id }) => id === selected);
  const facts = node && factsOf(node, graph, tables);
  const isGroup = node?.kind === 'ports' || node?.kind === 'stations';
  const toggle = (id: string): void => {
    const group = graph.nodes.find((one) => one.id === id);
    if (group?.kind !== 'ports' && group?.kind !== 'stations') return;
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  return (
    <div class="topology">
      <Tools
        find={find}
        matches={matches}
        place={place}
        isList={isList}
        onFind={(text) => go('topology', { find: text }, true)}
        onNext={() => setPlace(place + 1)}
        onList={() => setList(!isList)}
        onFit={() => stage.current?.fit()}
        onRearrange={() => stage.current?.rearrange()}
        onZoom={(isIn) => stage.current?.zoomBy(isIn ? stage.current.steps.in : stage.current.steps.out)}
      />
      <div class="topology-main">
        {tables.ports.size === 0 ? (
          <Empty
            title="No ports yet"
            command="etherws ctl addport tap tap0"
            lead="A first port is a device of this host:"
            needs="addPort"
          >
            Here are the ports of this switch, the stations behind them, and the neighbours that LLDP finds.
          </Empty>
        ) : isList ? (
          <LinkList graph={graph} filter={find} onOpen={setSelected} />
        ) : (
          <>
            <Picture
              {...{ graph, layout, selected, found, stage }}
              summary={summaryOf(graph)}
              onSelect={setSelected}
              onOpen={toggle}
            />
            <Legend />
            <p class="hidden-text" role="status">
              {facts === undefined
                ? ''
                : `${facts.kind} ${facts.title}${facts.reason === '' ? '' : `: ${facts.reason}`}`}
            </p>
          </>
        )}
        {facts !== undefined && (
          <Details
            facts={facts}
            groupAction={isGroup ? (opened.has(node?.id ?? '') ? 'Close the group' : 'Open the group') : undefined}
            onGroup={() => toggle(node?.id ?? '')}
            onClose={() => setSelected(null)}
          />
        )}
      </div>
    </div>
  );
}

/** What was found is drawn singly, and so are the port and the network of each. */
function withParents(found: ReadonlySet<string>, tables: ReturnType<typeof useTables>['tables']): ReadonlySet<string> {
  const all = new Set(found);
  for (const id of found) {
    const station = id.startsWith('station ') ? tables.stations.get(id.slice('station '.length)) : undefined;
    if (station !== undefined) all.add(`port ${station.port}`);
    const port = station?.port ?? Number(/^port (\d+)$/.exec(id)?.[1]);
    const network = tables.ports.get(String(port))?.network;
    if (network !== undefined) all.add(`network ${network}`);
  }
  return all;
}

function summaryOf({ nodes, links }: Graph): string {
  const faults = links.filter(({ look }) => look === 'fault').length;
  const count = (kind: string): number => nodes.filter((node) => node.kind === kind).length;
  const parts = [
    counted(count('network'), 'network'),
    counted(count('port'), 'port'),
    counted(count('neighbor'), 'neighbour'),
  ];
  const bad = faults === 0 ? 'no link is blocked' : `${counted(faults, 'link')} blocked or looping`;
  return `Picture of this switch: ${parts.join(', ')}; ${bad}. Arrow keys select, List shows the same as a table`;
}
