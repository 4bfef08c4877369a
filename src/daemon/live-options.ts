import type { SwConfig } from '../config/sw-config.ts';

type Apply = (config: SwConfig) => void;

/** The options that take effect without a restart. */
export class LiveOptions {
  readonly #applies = new Map<string, Apply>();
  readonly #checks = new Map<string, Apply>();

  /**
   * @param names as in a configuration file: `limits.max-tunnels`
   * @param apply called once for a reload that changes at least one of them; it does not throw
   */
  on(names: readonly string[], apply: Apply): void {
    for (const name of names) {
      const others = this.#applies.get(name);
      this.#applies.set(name, others === undefined ? apply : both(others, apply));
    }
  }

  /** @param check called before anything of a reload that changes one of them is applied. @throws EtherwsError if it cannot be */
  require(names: readonly string[], check: Apply): void {
    for (const name of names) this.#checks.set(name, check);
  }

  has(name: string): boolean {
    return this.#applies.has(name);
  }

  /** @throws EtherwsError if the changed options with these names cannot be applied */
  check(names: readonly string[], config: SwConfig): void {
    for (const check of new Set(names.flatMap((name) => this.#checks.get(name) ?? []))) check(config);
  }

  apply(names: readonly string[], config: SwConfig): void {
    for (const apply of new Set(names.flatMap((name) => this.#applies.get(name) ?? []))) apply(config);
  }
}

function both(one: Apply, other: Apply): Apply {
  return (config) => {
    one(config);
    other(config);
  };
}
