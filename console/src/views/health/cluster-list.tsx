import type { JSX } from 'preact';
import type { StatusEntry } from '../../../../src/control/schema.ts';
import { duration } from '../../parts/time.ts';
import { milliseconds } from '../../parts/units.ts';

type Cluster = NonNullable<StatusEntry['cluster']>;
type Member = Cluster['members'][number];

/** The nodes of the cluster as this one knows them, and whether it has the store. */
export function ClusterList({ cluster }: { readonly cluster: Cluster }): JSX.Element {
  const { name, isStoreConnected, storeSeconds, revision, members } = cluster;
  return (
    <>
      <p>
        {name}: {members.length} {members.length === 1 ? 'member' : 'members'}.{' '}
        {isStoreConnected ? (
          <>The store is there; networks and policy have the revision {revision}.</>
        ) : (
          <span class="badge badge-warning">
            without the store for {duration(storeSeconds)}; runs on revision {revision}
          </span>
        )}
      </p>
      <dl class="health-facts">
        {members.map((member) => (
          <>
            <dt>{member.node}</dt>
            <dd>
              <span class={`badge badge-${toneOf(member)}`}>{stateOf(member)}</span> {loadOf(member)}
            </dd>
          </>
        ))}
      </dl>
    </>
  );
}

function toneOf({ state, mesh, isDraining }: Member): 'good' | 'warning' | 'bad' {
  if (mesh.some(({ isUp }) => !isUp)) return 'bad';
  return state === 'late' || isDraining ? 'warning' : 'good';
}

function stateOf({ state, mesh, isDraining }: Member): string {
  const broken = mesh.filter(({ isUp }) => !isUp).map(({ network }) => network);
  if (broken.length > 0) return `no tunnel in ${broken.join(', ')}`;
  if (isDraining) return 'draining';
  if (state === 'late') return 'not heard of lately';
  return state === 'self' ? 'this switch' : 'up';
}

function loadOf({ version, tunnels, mostTunnels, mesh }: Member): string {
  const trips = mesh.flatMap(({ roundTripMs }) => (roundTripMs === null ? [] : [roundTripMs]));
  const trip = trips.length === 0 ? '' : `, ${milliseconds(Math.min(...trips))} away`;
  return `etherws ${version}, ${tunnels} of ${mostTunnels} tunnels${trip}`;
}
