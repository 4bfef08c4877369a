import type { FindingEntry, HealthControl } from '../control/finding-entries.ts';
import type { StatusEntry } from '../control/schema.ts';
import { type Finding, validityOf } from '../runtime/finding.ts';
import { examineRunning } from '../runtime/host-findings.ts';
import type { Service, Services } from './services.ts';
import { findingsOf } from './status-findings.ts';

/** Callers that ask again within this time get the same findings of the host, which read files of /proc. */
const KEPT_MS = 5000;

/** Examines a running switch: its host, its certificates, and its status. */
export class SwitchHealth implements HealthControl {
  readonly #services: Services;
  readonly #status: () => StatusEntry;
  #host: readonly Finding[] = [];
  #examinedMs = Number.NEGATIVE_INFINITY;

  constructor(services: Services, status: () => StatusEntry) {
    this.#services = services;
    this.#status = status;
  }

  findings(): FindingEntry[] {
    const nowMs = performance.now();
    if (nowMs - this.#examinedMs >= KEPT_MS) {
      this.#host = examineRunning();
      this.#examinedMs = nowMs;
    }
    const { tunnels, control } = this.#services;
    const certificates = [...certificateOf('tunnels', tunnels), ...certificateOf('control', control)];
    return [...findingsOf(this.#status()), ...certificates, ...this.#host].map(entryOf);
  }
}

function certificateOf(name: 'tunnels' | 'control', { identity }: Service): Finding[] {
  if (identity === undefined) return [];
  return [validityOf(`${name} TLS`, 'the certificate', identity.validity, Date.now())];
}

function entryOf({ check, result, found, advice }: Finding): FindingEntry {
  return { check, result, found, advice: advice ?? null };
}
