import { swCommand } from '../../src/cli/sw.ts';
import { TYPED, typedDocument } from '../../src/cli/sw-options.ts';
import { readConfig, type SwConfig } from '../../src/config/sw-config.ts';

/** Options of `etherws sw` without their dashes, in camel case: `maxTunnels`; false for those that begin with `no-`. */
export type SwOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** The configuration of `etherws sw` with these options. */
export function configOf(options: SwOptions): SwConfig {
  let config: SwConfig | undefined;
  swCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action((given: Record<string, unknown>) => {
      config = readConfig(typedDocument(given), TYPED);
    })
    .parse(wordsOf(options), { from: 'user' });
  if (config === undefined) throw new Error('the command did not run');
  return config;
}

/** The same as words of a command line. */
export function wordsOf(options: SwOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [value ? `--${words}` : `--no-${words}`];
    return [value].flat().map((text) => `--${words}=${text}`);
  });
}
