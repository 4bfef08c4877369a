/** The complaints so far. The first one ends the run; further ones may be its consequences. */
export class Verdict {
  readonly #complaints: string[] = [];
  readonly #ended = new AbortController();

  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** Aborted by the first complaint, and when the run is interrupted. */
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
