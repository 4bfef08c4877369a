import type { ClusterStatus, MemberEntry, MeshEntry } from '../../../control/cluster-status-entries.ts';
import type { Command } from '../../commander.ts';
import { type Column, formatTable } from '../../format.ts';
import type { Terminal } from '../../terminal.ts';
import { addLeaf, perform } from '../leaf.ts';

/** `etherws ctl cluster`. */
export function addCluster(ctl: Command, terminal: Terminal): void {
  const help = 'list the nodes of the cluster, and the mesh tunnels of this one to them';
  addLeaf(ctl, 'cluster', help, ['cluster', 'cluster --json']).action((_options: object, command: Command) =>
    perform(command, terminal, {
      method: 'getStatus',
      params: {},
      table: ([entry]) => clusterTable(entry?.cluster as ClusterStatus | undefined),
    }),
  );
}

/** A member, and one of this node's mesh tunnels to it, if there is one. */
interface Row {
  readonly member: MemberEntry;
  readonly mesh: MeshEntry | undefined;
}

const NONE = '-';
const NAME_TAKEN =
  'Another living node has this name: this one takes no part until that one ends. Give one of them another --node';

const word = (title: string, cell: (row: Row) => string): Column<Row> => ({ title, isNumber: false, cell });
const number = (title: string, cell: (row: Row) => string): Column<Row> => ({ title, isNumber: true, cell });

const COLUMNS: readonly Column<Row>[] = [
  word('Node', ({ member }) => member.node),
  word('State', ({ member }) => (member.isDraining ? `${member.state},draining` : member.state)),
  number('Clients', ({ member }) => member.tunnels.toString()),
  word('Network', ({ mesh }) => mesh?.network ?? NONE),
  number('Port', ({ mesh }) => mesh?.port.toString() ?? NONE),
  word('Mesh', ({ mesh }) => (mesh === undefined ? NONE : mesh.isUp ? 'up' : 'down')),
  word('Via', ({ mesh }) => mesh?.via ?? NONE),
  number('RTT-ms', ({ mesh }) => mesh?.roundTripMs?.toFixed(1) ?? NONE),
  word('Version', ({ member }) => member.version),
  word('URL', ({ member }) => member.url ?? NONE),
];

/** A row for each member, or for each mesh tunnel to it, below a line about the store. */
export function clusterTable(cluster: ClusterStatus | undefined): string {
  if (cluster === undefined) return 'This switch is no node of a cluster: etherws sw --cluster makes it one\n';
  const rows = cluster.members.flatMap((member): Row[] =>
    member.mesh.length === 0 ? [{ member, mesh: undefined }] : member.mesh.map((mesh) => ({ member, mesh })),
  );
  const store = cluster.isStoreConnected ? 'the store is there' : `without the store for ${cluster.storeSeconds} s`;
  const taken = cluster.isNameTaken ? `${NAME_TAKEN}\n` : '';
  return `Cluster ${cluster.name}, node ${cluster.node}: ${store}\n${taken}${leftOut(cluster)}${formatTable(COLUMNS, rows)}`;
}

function leftOut({ left: { tunnels, examples } }: ClusterStatus): string {
  if (tunnels === 0) return '';
  const some = examples.map(({ network, node }) => `${network} to ${node}`).join(', ');
  return `${tunnels} mesh tunnels of automatic networks are left out, at the bound of --auto-net-mesh: ${some}${tunnels > examples.length ? ', …' : ''}\n`;
}
