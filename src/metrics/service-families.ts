import { EndpointCounters } from '../net/endpoint-counters.ts';
import { type Family, labelsOf, type Sample } from './exposition.ts';

/** The facts of a listening service in metrics. */
export interface MeasuredService {
  /** `tunnels`, `control` or `metrics` */
  readonly name: string;
  readonly counters: EndpointCounters;
  /** The expiry of its certificate, in milliseconds since 1970; undefined without TLS. */
  readonly certificateEndsMs: (() => number) | undefined;
}

/** The counters that do not count refusals. */
const OTHERS = {
  connections: 'Connections accepted',
  resumed: 'Lost tunnels that their clients have resumed',
} as const;

type Other = keyof typeof OTHERS;

const REFUSALS = (Object.keys(new EndpointCounters()) as (keyof EndpointCounters)[]).filter(
  (name): name is Exclude<keyof EndpointCounters, Other> => !Object.hasOwn(OTHERS, name),
);

export function serviceFamilies(services: readonly MeasuredService[]): Family[] {
  return [
    ...(Object.keys(OTHERS) as Other[]).map(
      (name): Family => ({
        name: `etherws_service_${name}`,
        type: 'counter',
        help: OTHERS[name],
        samples: () => services.map((service) => ({ labels: labelled(service), value: service.counters[name] })),
      }),
    ),
    {
      name: 'etherws_service_refusals',
      type: 'counter',
      help: 'Connections, requests, logins and tunnels that were refused or cut, by reason',
      *samples() {
        for (const service of services) {
          for (const reason of REFUSALS) {
            yield { labels: labelled(service, { reason }), value: service.counters[reason] };
          }
        }
      },
    },
    {
      name: 'etherws_service_certificate_end_timestamp_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: "When the service's certificate expires, in seconds since 1970",
      samples: () => services.flatMap(certificateSample),
    },
  ];
}

function certificateSample(service: MeasuredService): Sample[] {
  const endsMs = service.certificateEndsMs?.();
  return endsMs === undefined ? [] : [{ labels: labelled(service), value: endsMs / 1000 }];
}

function labelled({ name }: MeasuredService, more: Readonly<Record<string, string>> = {}): string {
  return labelsOf({ service: name, ...more });
}
