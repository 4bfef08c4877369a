import { destinationOf, sourceOf, vidOf } from '../wire/ethernet/ethernet-frame.ts';
import { TAGS_NONE } from '../wire/ethernet/frame-length.ts';
import type { BridgePort } from './bridge-port.ts';
import type { FilteringDatabase, FilteringEntry } from './fdb.ts';
import { type FlowPermit, MAY_PASS, MUST_COME } from './flow-permit.ts';
import type { FlowTable } from './flow-table.ts';
import type { Pass } from './pass.ts';

/**
 * How long frames may pass the bridge by. It bounds how stale an entry of the
 * filtering database looks, and how long a decision holds that nothing invalidated;
 * renewing it once a second costs nothing.
 */
const FLOW_LIFE_MS = 1000;
/** A flow counts as alive for twice its life: native code measures that by the loop's clock, which lags. */
const FLOW_LIVES = 2;

/**
 * The one place where flows are installed, with what all stages permit, and
 * invalidated.
 *
 * A change of state is applied at once, and so before any frame can be read that
 * would follow a flow from before it. It costs a call only where a flow was installed
 * since the last one: however many entries age in a turn, that is once.
 */
export class FlowInstaller {
  readonly #table: FlowTable | undefined;
  readonly #fdb: FilteringDatabase;
  readonly #lifeMs: number;
  #hasFlows = false;

  /** @param table undefined: each frame comes to the bridge */
  constructor(table: FlowTable | undefined, fdb: FilteringDatabase, ageingTimeMs: number) {
    this.#table = table;
    this.#fdb = fdb;
    this.#lifeMs = Math.min(FLOW_LIFE_MS, Math.floor(ageingTimeMs / 4));
  }

  /** Lets frames like frame `index` of the pass go to `egress` without the bridge, if the ports can and `permit` allows. */
  install(pass: Pass, egress: BridgePort, index: number, permit: FlowPermit): void {
    const { ingress, batch, nowMs } = pass;
    const { flowSource } = ingress.port;
    const { flowTarget } = egress.port;
    if (this.#table === undefined || flowSource === undefined || flowTarget === undefined) return;
    // A batch that goes to several ports is worth no flow: its frames come in any case.
    if (permit === MUST_COME || pass.touched !== egress) return;
    ingress.noteFlow(egress, nowMs + this.#lifeMs);
    const untilMs = nowMs + FLOW_LIVES * this.#lifeMs;
    // Both stations are marked, so that the flow ends when one of them goes.
    const start = batch.starts[index] as number;
    const vid = vidOf(batch.bytes, start, batch.lengths[index] as number);
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
      meter: permit === MAY_PASS ? undefined : permit,
    });
  }

  /** From the next frame on, each comes to the bridge until it has been judged anew. */
  invalidate(): void {
    if (!this.#hasFlows) return;
    this.#hasFlows = false;
    this.#table?.invalidate();
  }

  /** The same if a flow may lead from or to this station. A flood of made-up addresses has none. */
  invalidateFlowsOf({ flowUntilMs }: FilteringEntry, nowMs: number): void {
    if (nowMs < flowUntilMs) this.invalidate();
  }
}
