import { Component, type JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { isDirection, nearestTo } from './direction.ts';
import { type Graph, idOf, type Link } from './graph.ts';
import type { Layout } from './layout.ts';
import { thicknessOf } from './load.ts';
import { NodeShape } from './node-shape.tsx';
import { nodeOf, Stage } from './stage.ts';

interface PictureProps {
  readonly graph: Graph;
  readonly layout: Layout;
  readonly selected: string | null;
  /** ids that a search has found; empty: it has found nothing */
  readonly found: ReadonlySet<string>;
  /** what is in the picture, for screen readers */
  readonly summary: string;
  readonly onSelect: (id: string | null) => void;
  readonly onOpen: (id: string) => void;
  /** set while the picture is shown */
  readonly stage: { current: Stage | null };
}

const PAN_PX = 60;

/** The picture of a graph. Arrows move the selection, with Shift the view; + and - zoom, 0 fits. */
export function Picture(props: PictureProps): JSX.Element {
  const { graph, layout, selected, found, summary, onSelect, onOpen, stage } = props;
  const svg = useRef<SVGSVGElement>(null);
  useLayoutEffect(() => {
    const made = new Stage(svg.current as SVGSVGElement, layout);
    stage.current = made;
    return () => {
      made.close();
      stage.current = null;
    };
  }, [layout]);
  useLayoutEffect(() => stage.current?.show(graph), [graph]);
  useEffect(() => {
    const observer = new ResizeObserver(() => stage.current?.resized());
    observer.observe(svg.current as SVGSVGElement);
    return () => observer.disconnect();
  }, []);

  function move(key: string, isShifted: boolean): boolean {
    const stands = stage.current;
    if (stands === null) return false;
    if (isDirection(key)) {
      if (isShifted) {
        const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key] ?? [0, 0];
        stands.panBy((x ?? 0) * PAN_PX, (y ?? 0) * PAN_PX);
        return true;
      }
      const from = layout.placed.get(selected ?? idOf.switch);
      const next = from && nearestTo(from, key, layout.placed.values());
      if (next !== undefined) onSelect(next);
      return true;
    }
    if (key === '+' || key === '=') stands.zoomBy(stands.steps.in);
    else if (key === '-') stands.zoomBy(stands.steps.out);
    else if (key === '0') stands.fit();
    else if (key === 'Enter' && selected !== null) onOpen(selected);
    else if (key === 'Escape' && selected !== null) onSelect(null);
    else return false;
    return true;
  }

  const light = (id: string): 'plain' | 'found' | 'dim' =>
    found.size === 0 ? 'plain' : found.has(id) ? 'found' : 'dim';
  return (
    // The list has the same for readers without the picture.
    <svg
      ref={svg}
      class="topology-picture"
      tabindex={0}
      role="application"
      aria-label={summary}
      onClick={({ target }) => {
        const id = nodeOf(target);
        onSelect(id ?? null);
        if (id !== undefined) onOpen(id);
      }}
      onKeyDown={(event) => {
        if (!event.ctrlKey && !event.metaKey && !event.altKey && move(event.key, event.shiftKey))
          event.preventDefault();
      }}
    >
      <g>
        {faultsLast(graph.links).map((link) => (
          <LinkShape
            key={link.id}
            link={link}
            isDim={found.size > 0 && !(found.has(link.to) || found.has(link.from))}
          />
        ))}
        {graph.nodes.map((node) => (
          <NodeShape key={node.id} node={node} isSelected={node.id === selected} light={light(node.id)} />
        ))}
      </g>
    </svg>
  );
}

interface LinkShapeProps {
  readonly link: Link;
  readonly isDim: boolean;
}

/** A line between two nodes; `Stage` sets its ends. */
class LinkShape extends Component<LinkShapeProps> {
  override shouldComponentUpdate({ link, isDim }: LinkShapeProps): boolean {
    const { link: shown } = this.props;
    const isSame = shown.look === link.look && shown.reason === link.reason && shown.from === link.from;
    return !isSame || isDim !== this.props.isDim || thicknessOf(shown.bitRate) !== thicknessOf(link.bitRate);
  }

  override render({ link, isDim }: LinkShapeProps): JSX.Element {
    const { id, from, to, look, reason, bitRate } = link;
    const classes = `topology-link topology-is-${look} ${bitRate > 0 ? 'topology-busy' : ''} ${isDim ? 'topology-dim' : ''}`;
    return (
      <path class={classes} data-link={id} data-from={from} data-to={to} stroke-width={thicknessOf(bitRate)}>
        {reason !== '' && <title>{reason}</title>}
      </path>
    );
  }
}

/** What is drawn last is on top. */
function faultsLast(links: readonly Link[]): readonly Link[] {
  const faults = links.filter(({ look }) => look === 'fault');
  return faults.length === 0 ? links : [...links.filter(({ look }) => look !== 'fault'), ...faults];
}
