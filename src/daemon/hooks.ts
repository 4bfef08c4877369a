import type { SwConfig } from '../config/sw-config.ts';
import type { EventHub } from '../events/event-hub.ts';
import { hookOf, requirePrograms } from '../hooks/hook.ts';
import { HookRunner, type HookSettings } from '../hooks/hook-runner.ts';
import type { Logger } from '../observability/logger.ts';
import type { Lifetime } from './lifetime.ts';

/** The programs of the configuration; a reload changes them. @throws EtherwsError FILE_UNREADABLE for a program that cannot be run */
export function openHooks(config: SwConfig, hub: EventHub, lifetime: Lifetime, logger: Logger): HookRunner {
  const runner = new HookRunner({ ...settingsOf(config), hub, logger });
  lifetime.onClose(() => runner.close());
  lifetime.live.on(['hooks', 'hook-timeout'], (changed) => runner.change(settingsOf(changed)));
  lifetime.live.require(['hooks'], (wanted) => requirePrograms(settingsOf(wanted).hooks));
  return runner;
}

function settingsOf({ hooks, hookTimeoutMs: timeoutMs }: SwConfig): HookSettings {
  return { hooks: hooks.map(hookOf), timeoutMs };
}
