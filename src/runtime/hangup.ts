/**
 * Receives SIGHUP from its construction on; without a listener the signal would end the process. A signal before
 * `serveBy` is kept until then. Signals during a reload cause one more reload after it.
 */
export class HangupSignal {
  #reload: (() => Promise<void>) | undefined;
  #isPending = false;
  #isReloading = false;

  constructor() {
    process.on('SIGHUP', () => {
      this.#isPending = true;
      void this.#serve();
    });
  }

  /** @param reload must not reject */
  serveBy(reload: () => Promise<void>): void {
    this.#reload = reload;
    void this.#serve();
  }

  /** Ignores all further signals. */
  stop(): void {
    this.#reload = undefined;
  }

  async #serve(): Promise<void> {
    if (this.#isReloading) return;
    this.#isReloading = true;
    while (this.#isPending && this.#reload !== undefined) {
      this.#isPending = false;
      await this.#reload();
    }
    this.#isReloading = false;
  }
}
