/**
 * SIGHUP from its first moment on: without a receiver it would end the process. What comes before there is something to
 * read again waits until there is; what comes while that is under way is done once more behind it.
 */
export class HangupSignal {
  #reload: (() => Promise<void>) | undefined;
  #isWanted = false;
  #isUnderWay = false;

  constructor() {
    process.on('SIGHUP', () => {
      this.#isWanted = true;
      void this.#serve();
    });
  }

  /** @param reload must not reject */
  serveBy(reload: () => Promise<void>): void {
    this.#reload = reload;
    void this.#serve();
  }

  /** From here on the signal does nothing. */
  stop(): void {
    this.#reload = undefined;
  }

  async #serve(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    while (this.#isWanted && this.#reload !== undefined) {
      this.#isWanted = false;
      await this.#reload();
    }
    this.#isUnderWay = false;
  }
}
