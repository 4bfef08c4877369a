import type { SwConfig } from '../config/sw-config.ts';

type Apply = (config: SwConfig) => void;

/** The options that take effect without a restart. */
export class LiveOptions {
  readonly #applies = new Map<string, Apply>();

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

  has(name: string): boolean {
    return this.#applies.has(name);
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
