/** What went wrong so far. The first complaint ends the run; what follows it may be its consequence. */
export class Verdict {
  readonly #complaints: string[] = [];
  readonly #ended = new AbortController();

  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** Aborted with the first complaint, or when the run is interrupted. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  complain(what: string): void {
    this.#complaints.push(what);
    this.end();
  }

  end(): void {
    this.#ended.abort();
  }
}
