import type { SwConfig } from '../config/sw-config.ts';
import type { EventHub } from '../events/event-hub.ts';
import { hookOf } from '../hooks/hook.ts';
import { HookRunner } from '../hooks/hook-runner.ts';
import type { Logger } from '../observability/logger.ts';
import type { Lifetime } from './lifetime.ts';

/** @returns undefined without hooks. @throws EtherwsError FILE_UNREADABLE for a program that cannot be run */
export function openHooks(config: SwConfig, hub: EventHub, lifetime: Lifetime, logger: Logger): HookRunner | undefined {
  if (config.hooks.length === 0) return undefined;
  const runner = new HookRunner({ hooks: config.hooks.map(hookOf), timeoutMs: config.hookTimeoutMs, hub, logger });
  lifetime.onClose(() => runner.close());
  return runner;
}
