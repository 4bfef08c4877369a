import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, integer, listOf, oneOf } from '../schema/types.ts';
import { method, noParams } from './entries.ts';

/** The methods about the configuration file, and their results. */

export const PLAN_ACTIONS = ['add', 'remove', 'replace', 'change', 'apply', 'restart', 'reread'] as const;

/** A step from the running state to the state that the configuration file wants. */
export const planEntry = atLeast({
  action: oneOf(PLAN_ACTIONS),
  /** the number of the port; null for a new one, and for an option */
  port: v.nullable(integer(1)),
  /** type, target and name of the port, or the option as in the file: `tunnels.port` */
  what: anyText,
  /** the new settings; `""` without any */
  change: anyText,
  /** the port's place in the file, as `file:line:column`; null for an option, and for a port that is removed */
  place: v.nullable(anyText),
  /** why the step failed; null for a success, and in a plan */
  error: v.nullable(anyText),
});
export type PlanEntry = v.InferOutput<v.ObjectSchema<(typeof planEntry)['entries'], undefined>>;

/** The running state as a configuration file. */
export const configEntry = atLeast({
  /** YAML */
  text: anyText,
  /** one sentence for each omission: secrets that do not come from a file */
  omissions: listOf(anyText),
});
export type ConfigEntry = v.InferOutput<v.ObjectSchema<(typeof configEntry)['entries'], undefined>>;

export const CONFIGURATION_METHODS = {
  planReload: method('Tells what `reload` would do.', noParams, planEntry),
  reload: method('Reads the configuration file, certificates and the policy again.', noParams, planEntry),
  getConfig: method('Writes the running state as a configuration file.', noParams, configEntry),
} as const;

/** The commands behind these methods. */
export interface ConfigurationControl {
  /** @throws EtherwsError CONFIG_INVALID with all errors of the file, FILE_UNREADABLE */
  plan(): Promise<PlanEntry[]>;
  /** Applies all steps of the plan; a failed step does not stop the others. @throws as `plan`, without a change */
  reload(): Promise<PlanEntry[]>;
  save(): Promise<ConfigEntry>;
}
