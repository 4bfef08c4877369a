import type { SwitchEvent } from '../events/event.ts';

/** The variables of the switch's own environment that programs get. */
const KEPT = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of a hook: each fact of the event as ETHERWS_…, `portName` as ETHERWS_NAME. Facts that are null or
 * absent have no variable; items of lists are separated by commas.
 * @param own the environment of the switch
 */
export function hookEnvironment(event: SwitchEvent, own: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const name of KEPT) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  for (const [fact, value] of Object.entries(event)) {
    // A peer's text may have NUL, which execve(2) would take as the end of the variable.
    if (value !== null && value !== undefined) environment[variableOf(fact)] = String(value).replaceAll('\0', '');
  }
  return environment;
}

function variableOf(fact: string): string {
  const name = fact === 'portName' ? 'name' : fact;
  return `ETHERWS_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
