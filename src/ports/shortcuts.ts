import type { Shortcut } from '../bridge/port.ts';
import { type Descriptor, loadedAddon } from '../native/addon.ts';
import { TAGS_NONE } from '../wire/ethernet/frame-length.ts';

/**
 * Lets native code forward frames like the one that is named, from what is read
 * at `ingress` to the descriptor behind the egress port (native/datapath/fast_path.h). An
 * egress that has something waiting gets nothing past it.
 */
export function shorten(ingress: Descriptor, shortcut: Shortcut): void {
  const { batch, index, egress, ingressCells, egressCells, lifeMs, mayWait } = shortcut;
  const { shortcutEnd } = egress;
  if (shortcutEnd === undefined) return;
  const start = batch.starts[index] as number;
  loadedAddon()?.addShortcut(
    ingress,
    ingressCells,
    shortcutEnd as Descriptor,
    egressCells,
    batch.bytes,
    start,
    start + (batch.lengths[index] as number),
    egress.offloads,
    egress.maxFrameBytes,
    egress.tagAllowance ?? TAGS_NONE,
    lifeMs,
    mayWait,
  );
}

/** From now on every frame is the bridge's again. */
export function forgetShortcuts(): void {
  loadedAddon()?.forgetShortcuts();
}
