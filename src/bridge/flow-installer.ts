import { destinationOf, sourceOf } from '../wire/ethernet/ethernet-frame.ts';
import { TAGS_NONE } from '../wire/ethernet/frame-length.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import type { FilteringDatabase, FilteringEntry } from './fdb.ts';
import { type FlowPermit, MAY_PASS, MUST_COME } from './flow-permit.ts';
import type { FlowTable } from './flow-table.ts';
import type { Pass } from './pass.ts';
import { TagChange } from './stages/vlan-retagging.ts';

/**
 * The lifetime of a flow. It bounds by how much the bridge's last sight of a station is
 * delayed, and for how long a decision is used without invalidation. Renewing a flow once a
 * second has no measurable cost.
 */
const FLOW_LIFE_MS = 1000;
const NO_CHANGE: TagChange = new TagChange();
/** A flow is assumed to exist for twice its lifetime: native code measures it by the loop's clock, which lags behind. */
const FLOW_LIVES = 2;

/**
 * Installs and invalidates the flows of a bridge.
 *
 * A change of state invalidates at once, so no frame that is read later follows an
 * outdated flow. The call is made only if a flow was installed
 * since the last one: when many entries age in one turn, it is made once.
 */
export class FlowInstaller {
  readonly #table: FlowTable | undefined;
  readonly #fdb: FilteringDatabase;
  #lifeMs: number;
  #hasFlows = false;
  #isEnabled = true;

  /** @param table undefined: all frames go through the bridge */
  constructor(table: FlowTable | undefined, fdb: FilteringDatabase, ageingTimeMs: number) {
    this.#table = table;
    this.#fdb = fdb;
    this.#lifeMs = lifeOf(ageingTimeMs);
  }

  setAgeingTime(ageingTimeMs: number): void {
    this.#lifeMs = lifeOf(ageingTimeMs);
    this.invalidate();
  }

  /** While it is not enabled, there are no flows. */
  setEnabled(isEnabled: boolean): void {
    this.#isEnabled = isEnabled;
    if (!isEnabled) this.invalidate();
  }

  /** Installs a flow to `egress` with the key of frame `index` of the pass, if both ports support it and `permit` allows it. @param vid its VLAN */
  install(pass: Pass, egress: BridgePort, index: number, vid: Vid, permit: FlowPermit): void {
    const { ingress, batch, nowMs } = pass;
    const { flowSource } = ingress.port;
    const { flowTarget } = egress.port;
    if (!this.#isEnabled || this.#table === undefined || flowSource === undefined || flowTarget === undefined) return;
    // No flow for a batch to several ports: most of its frames would still go through the bridge.
    if (permit === MUST_COME || pass.touched !== egress) return;
    const change = pass.mayRetag ? pass.changeFor(egress, index, vid) : NO_CHANGE;
    if (change === undefined) return;
    ingress.noteFlow(egress, nowMs + this.#lifeMs);
    const untilMs = nowMs + FLOW_LIVES * this.#lifeMs;
    // Both stations are marked, so that the flow ends when one of them moves or ages.
    const start = batch.starts[index] as number;
    this.#fdb.noteFlow(vid, sourceOf(batch.bytes, start), untilMs);
    this.#fdb.noteFlow(vid, destinationOf(batch.bytes, start), untilMs);
    this.#hasFlows = true;
    this.#table.install({
      batch,
      index,
      source: flowSource,
      target: flowTarget,
      sourceCells: ingress.cells,
      targetCells: egress.cells,
      offloads: egress.port.offloads,
      maxFrameBytes: egress.port.maxFrameBytes,
      tagAllowance: egress.port.tagAllowance ?? TAGS_NONE,
      lifeMs: this.#lifeMs,
      mayWait: ingress.sendsOnlyTo(egress, nowMs),
      strippedBytes: change.strippedBytes,
      tag: change.tag,
      meter: permit === MAY_PASS ? undefined : permit,
    });
  }

  /** Ends all flows: the next frames go through the bridge, and may be the reason for new flows. */
  invalidate(): void {
    if (!this.#hasFlows) return;
    this.#hasFlows = false;
    this.#table?.invalidate();
  }

  /** Ends all flows if one may exist from or to this station. Invented addresses have none, so a flood of them costs nothing. */
  invalidateFlowsOf({ flowUntilMs }: FilteringEntry, nowMs: number): void {
    if (nowMs < flowUntilMs) this.invalidate();
  }
}

/** Several flows fit into the ageing time, so that the bridge sees a station that is in use. */
function lifeOf(ageingTimeMs: number): number {
  return Math.min(FLOW_LIFE_MS, Math.floor(ageingTimeMs / 4));
}
