import type { Flow, FlowTable } from '../bridge/flow-table.ts';
import { loadedAddon } from './addon.ts';
import type { Descriptor } from './descriptors.ts';
import type { NativeFlows } from './flows.ts';

/**
 * The flow table of one bridge, in native code (native/datapath/flow_table.h), which
 * forwards what it reads at one descriptor to another. A target that has something
 * waiting gets nothing past it. The bridge's clock is `performance.now()`.
 */
export class NativeFlowTable implements FlowTable {
  /** Made with the first flow: without the addon there is no port that has one. */
  #flows: NativeFlows | undefined;

  install(flow: Flow): void {
    const addon = loadedAddon();
    if (addon === undefined) return;
    this.#flows ??= addon.createFlowTable(performance.now());
    const { batch, index } = flow;
    const start = batch.starts[index] as number;
    addon.installFlow(
      this.#flows,
      flow.source as Descriptor,
      flow.sourceCells,
      flow.target as Descriptor,
      flow.targetCells,
      batch.bytes,
      start,
      start + (batch.lengths[index] as number),
      flow.offloads,
      flow.maxFrameBytes,
      flow.tagAllowance,
      flow.lifeMs,
      flow.mayWait,
      flow.meter,
      flow.strippedBytes,
      flow.tag | 0,
    );
  }

  invalidate(): void {
    if (this.#flows !== undefined) loadedAddon()?.invalidateFlows(this.#flows);
  }
}

/** What was decided for frames from or to the descriptor does not hold any more: every frame is the bridge's again. */
export function endFlows(descriptor: Descriptor): void {
  loadedAddon()?.endFlows(descriptor);
}
