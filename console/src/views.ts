import type { ComponentType } from 'preact';
import type { IconName } from './parts/icon.tsx';

/** A view of the console: `#/ID`. */
export interface View {
  readonly id: string;
  readonly title: string;
  readonly icon: IconName;
  /** the letter behind `g` that leads here */
  readonly key: string;
  /** one of these methods must be allowed, or the view is not shown */
  readonly needs: readonly string[];
  readonly load: () => Promise<ComponentType>;
}

/** The views, in the order of the navigation. The first one is shown at first. */
export const VIEWS: readonly View[] = [
  {
    id: 'topology',
    title: 'Topology',
    icon: 'topology',
    key: 't',
    needs: ['listPort'],
    load: async () => (await import('./views/topology/view.tsx')).TopologyView,
  },
  {
    id: 'ports',
    title: 'Ports',
    icon: 'ports',
    key: 'p',
    needs: ['listPort'],
    load: async () => (await import('./views/ports/view.tsx')).PortsView,
  },
  {
    id: 'stations',
    title: 'Stations',
    icon: 'stations',
    key: 's',
    needs: ['listStation', 'listFdb'],
    load: async () => (await import('./views/stations/view.tsx')).StationsView,
  },
  {
    id: 'networks',
    title: 'Networks',
    icon: 'networks',
    key: 'n',
    needs: ['listNet', 'listVlan'],
    load: async () => (await import('./views/networks/view.tsx')).NetworksView,
  },
  {
    id: 'capture',
    title: 'Capture',
    icon: 'capture',
    key: 'c',
    needs: ['capture'],
    load: async () => (await import('./views/capture/view.tsx')).CaptureView,
  },
  {
    id: 'events',
    title: 'Events',
    icon: 'events',
    key: 'e',
    needs: ['subscribe'],
    load: async () => (await import('./views/events/view.tsx')).EventsView,
  },
  {
    id: 'health',
    title: 'Health',
    icon: 'health',
    key: 'h',
    needs: ['getStatus'],
    load: async () => (await import('./views/health/view.tsx')).HealthView,
  },
  {
    id: 'add',
    title: 'Add a tunnel',
    icon: 'add',
    key: 'a',
    needs: ['addPort'],
    load: async () => (await import('./views/add/view.tsx')).AddView,
  },
];
