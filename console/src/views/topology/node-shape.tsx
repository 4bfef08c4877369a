import { Component, type JSX } from 'preact';
import type { Node, NodeKind } from './graph.ts';
import { secondLine } from './names.ts';
import { LABEL_Y, NOTE_PX } from './room.ts';

interface NodeShapeProps {
  readonly node: Node;
  readonly isSelected: boolean;
  /** `found` by a search, `dim` if others were found */
  readonly light: 'plain' | 'found' | 'dim';
}

/** A node with its label. Its place is set by `Stage`; it renders again only if what it shows has changed. */
export class NodeShape extends Component<NodeShapeProps> {
  override shouldComponentUpdate(next: NodeShapeProps): boolean {
    const { node, isSelected, light } = this.props;
    if (isSelected !== next.isSelected || light !== next.light) return true;
    return (['label', 'note', 'look', 'reason', 'kind'] as const).some((member) => node[member] !== next.node[member]);
  }

  override render({ node, isSelected, light }: NodeShapeProps): JSX.Element {
    const { id, kind, label, look, reason } = node;
    const y = LABEL_Y[kind];
    const second = secondLine(node);
    const classes = `topology-node topology-${kind} topology-is-${look} topology-${light}`;
    return (
      <g class={`${classes}${isSelected ? ' topology-selected' : ''}`} data-node={id}>
        <title>{reason === '' ? label : `${label}: ${reason}`}</title>
        <Shape kind={kind} />
        <text class="topology-label" y={y}>
          {label}
        </text>
        {second !== '' && (
          <text class="topology-note" y={y + NOTE_PX}>
            {second}
          </text>
        )}
      </g>
    );
  }
}

function Shape({ kind }: { readonly kind: NodeKind }): JSX.Element {
  switch (kind) {
    case 'switch':
    case 'member':
      return (
        <>
          <rect class="topology-halo" x={-32} y={-24} width={64} height={48} rx={14} />
          <rect class="topology-body" x={-28} y={-20} width={56} height={40} rx={10} />
          <path class="topology-mark" d="M-15 -5H13M8 -10 13 -5 8 0M15 6H-13M-8 1 -13 6 -8 11" />
        </>
      );
    case 'network':
      return (
        <>
          <circle class="topology-halo" r={23} />
          <circle class="topology-body" r={18} />
          <path class="topology-mark" d="M-7 -7h5v5h-5zM2 -7h5v5H2zM-7 2h5v5h-5zM2 2h5v5H2z" />
        </>
      );
    case 'port':
      return (
        <>
          <rect class="topology-halo" x={-17} y={-14} width={34} height={28} rx={8} />
          <rect class="topology-body" x={-12} y={-9} width={24} height={18} rx={4} />
          <path class="topology-mark" d="M-5 -3V3M0 -3V3M5 -3V3" />
        </>
      );
    case 'ports':
      return (
        <>
          <rect class="topology-halo" x={-21} y={-17} width={42} height={34} rx={9} />
          <rect class="topology-body" x={-10} y={-12} width={26} height={18} rx={4} />
          <rect class="topology-body" x={-15} y={-7} width={26} height={18} rx={4} />
          <path class="topology-mark" d="M-7 -1V5M-2 -1V5M3 -1V5" />
        </>
      );
    case 'neighbor':
      return (
        <>
          <rect class="topology-halo" x={-23} y={-20} width={46} height={40} rx={11} />
          <rect class="topology-body" x={-18} y={-15} width={36} height={30} rx={7} />
          <path class="topology-mark" d="M-9 -3H8M4 -7 8 -3 4 1M9 4H-8M-4 0 -8 4 -4 8" />
        </>
      );
    case 'station':
      return (
        <>
          <circle class="topology-halo" r={12} />
          <circle class="topology-body" r={7} />
        </>
      );
    case 'stations':
      return (
        <>
          <circle class="topology-halo" r={18} />
          <circle class="topology-body" cx={-5} cy={3} r={7} />
          <circle class="topology-body" cx={5} cy={3} r={7} />
          <circle class="topology-body" cy={-4} r={7} />
        </>
      );
    default:
      return (
        <>
          <circle class="topology-halo" r={17} />
          <circle class="topology-body" r={12} />
          <path class="topology-mark" d="M-5 0H5M0 -5V5" />
        </>
      );
  }
}
