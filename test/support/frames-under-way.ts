/** How many frames each station has sent, by its id. */
export type SentNumbers = ReadonlyMap<string, number>;

/** A frame that a station has heard again: once for each copy behind the first. */
export type HeardAgain = readonly [sender: string, number: number];

/**
 * Which frames may come twice while a spanning tree changes.
 *
 * In a ring a frame goes both ways, and the port that blocks one of them discards it there. When that port begins to forward,
 * a copy that is still under way to it, in a tunnel or in the socket of a bridge without processor time, is forwarded, too,
 * although the frame has already come by the former path. RSTP does not wait until such copies are gone, and so they are
 * more than with STP (IEEE 802.1D-2004, 17.4). So a frame that was sent around a change may come twice, but not three times,
 * and no frame of another time may.
 */
export class FramesUnderWay {
  readonly #lagFrames: number;
  readonly #changes: { readonly from: SentNumbers; readonly to: SentNumbers }[] = [];

  /** @param lagFrames how many frames a station sends while the slowest bridge or tunnel holds one back */
  constructor(lagFrames: number) {
    this.#lagFrames = lagFrames;
  }

  /** Notes a change, by what was sent before it began and when it had ended. */
  changed(from: SentNumbers, to: SentNumbers): void {
    this.#changes.push({ from, to });
  }

  /** @returns of the frames that a station heard again those that it may not have, as `sender number`, each once */
  faults(again: readonly HeardAgain[]): string[] {
    const copies = new Map<string, number>();
    const faults = new Set<string>();
    for (const [sender, number] of again) {
      const name = `${sender} ${number}`;
      const count = (copies.get(name) ?? 0) + 1;
      copies.set(name, count);
      if (count > 1 || !this.#isUnderWay(sender, number)) faults.add(name);
    }
    return [...faults];
  }

  #isUnderWay(sender: string, number: number): boolean {
    const [id = ''] = sender.split('/');
    return this.#changes.some(
      ({ from, to }) => number > (from.get(id) ?? 0) - this.#lagFrames && number <= (to.get(id) ?? 0) + this.#lagFrames,
    );
  }
}
