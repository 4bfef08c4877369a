import { isDeepStrictEqual } from 'node:util';
import { ConfigInvalid } from '../config/config-invalid.ts';
import type { NetworkAction } from '../config/network-plan.ts';
import { type OptionChange, planOptions, withOption } from '../config/option-plan.ts';
import type { PortAction } from '../config/port-plan.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { WantedNetwork } from '../config/wanted-networks.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { ConfigEntry, ConfigurationControl, PlanEntry } from '../control/schema.ts';
import { describeError, EtherwsError } from '../errors.ts';
import { shownServers } from '../net/nats-url.ts';
import type { Logger } from '../observability/logger.ts';
import { describeNetworkAction, describeSettings, type NetworkStep } from './configured-networks.ts';
import type { ConfiguredSwitch } from './configured-switch.ts';
import type { LiveOptions } from './live-options.ts';
import { withSecrets } from './port-secrets.ts';
import { describeAction, describeChange, nameOf } from './port-steps.ts';

export interface ConfigurationOptions {
  readonly config: SwConfig;
  /** reads the file again; typed options have precedence. undefined without a file */
  readonly file: { read(): Promise<SwConfig> } | undefined;
  readonly configured: ConfiguredSwitch;
  readonly live: LiveOptions;
  /** reads certificates, keys and the policy again. @param failed the number of failed steps. @returns its failures */
  readonly rereadOthers: (failed: number) => Promise<readonly string[]>;
  readonly logger: Logger;
}

/** The contents of a file when it was read. */
interface Wanted {
  readonly config: SwConfig;
  readonly networks: readonly WantedNetwork[];
  /** with their secrets */
  readonly ports: readonly WantedPort[];
}

/**
 * Applies the configuration file to the running switch: it compares the running state with the wanted state, and does
 * only the difference.
 */
export class Configuration implements ConfigurationControl {
  readonly #options: ConfigurationOptions;
  /** the options that are in force */
  #running: SwConfig['options'];
  /** the contents of the file when it was last applied, for `hangup` */
  #applied: unknown;
  /** as last applied; options that need a restart have their new values, too */
  #config: SwConfig;
  #hasFailed = false;
  /** The last reload: reloads run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param ports the ports of the file, with their secrets */
  constructor(options: ConfigurationOptions, ports: readonly WantedPort[]) {
    this.#options = options;
    this.#running = options.config.options;
    this.#config = options.config;
    this.#applied = essenceOf({ config: options.config, networks: options.config.networks, ports });
  }

  /** The configuration as it was applied last; what needs a restart is in it, too. */
  get applied(): SwConfig {
    return this.#config;
  }

  /** The differences from the file as sentences: changes of its ports by calls, and options that need a restart. */
  deviations(): string[] {
    return this.#options.configured.deviations();
  }

  plan(): Promise<PlanEntry[]> {
    return this.#inTurn(async () => {
      const wanted = await this.#read();
      if (wanted === undefined) return [];
      const { before, after } = this.#options.configured.networks.plan(wanted.networks);
      return [
        ...before.map((action) => networkStep({ action })),
        ...this.#options.configured.ports.plan(wanted.ports).map((action) => portStep(action)),
        ...after.map((action) => networkStep({ action })),
        ...this.#optionsOf(wanted).map((change) => this.#optionStep(change)),
      ];
    });
  }

  async reload(): Promise<PlanEntry[]> {
    const steps = await this.#inTurn(async () => {
      const wanted = await this.#read();
      return wanted === undefined ? [] : this.#apply(wanted);
    });
    const failures = await this.#options.rereadOthers(failuresIn(steps));
    return [...steps, ...failures.map((reason) => failedRead(reason))];
  }

  /**
   * For SIGHUP: as `reload`, but without effect while the file is unchanged. Programs that rotate logs send the signal
   * each night, and that must not undo changes by calls.
   * @throws EtherwsError CONFIG_INVALID if a step failed; each reason was logged
   */
  async hangup(): Promise<void> {
    const { logger } = this.#options;
    await this.#inTurn(async () => {
      let wanted: Wanted | undefined;
      try {
        wanted = await this.#read();
      } catch (error) {
        if (!(error instanceof ConfigInvalid)) throw error;
        for (const line of error.lines) logger.error({}, line);
        throw new EtherwsError('CONFIG_INVALID', `${error.message}; nothing of it is applied`);
      }
      const isSame = wanted === undefined || isDeepStrictEqual(essenceOf(wanted), this.#applied);
      if (wanted === undefined || (isSame && !this.#hasFailed)) return;
      const steps = await this.#apply(wanted);
      const failed = failuresIn(steps);
      if (failed > 0)
        throw new EtherwsError('CONFIG_INVALID', `${failed} of ${steps.length} changes were not possible`);
    });
  }

  async save(): Promise<ConfigEntry> {
    // Loaded on use: the YAML library takes 2 MiB.
    const { writeConfig } = await import('../config/write-config.ts');
    const { networks, ports } = this.#options.configured;
    return writeConfig(this.#running, networks.toSave(), ports.ports());
  }

  async #read(): Promise<Wanted | undefined> {
    const config = await this.#options.file?.read();
    if (config === undefined) return undefined;
    const ports: WantedPort[] = [];
    for (const port of config.ports) ports.push(await withSecrets(port, this.#options.logger));
    const wanted = { config, networks: config.networks, ports };
    const changed = this.#optionsOf(wanted).map(({ name }) => name);
    this.#options.live.check(changed, config);
    return wanted;
  }

  async #apply(wanted: Wanted): Promise<PlanEntry[]> {
    const { configured, live, logger } = this.#options;
    const { networks, ports } = configured;
    const before = networks.applyBefore(wanted.networks);
    const done = await ports.apply(wanted.ports);
    const after = await networks.applyAfter();
    this.#logNetworks([...before, ...after]);
    for (const { action, error } of done) {
      if (error === undefined) logger.info({}, `configuration: ${describeAction(action)}`);
      else logger.error({ reason: describeError(error) }, `configuration: cannot ${describeAction(action)}`);
    }
    const changes = this.#optionsOf(wanted);
    const applied = changes.filter(({ name }) => live.has(name));
    live.apply(
      applied.map(({ name }) => name),
      wanted.config,
    );
    for (const { path, name } of changes) {
      if (!live.has(name)) logger.warn({}, `takes effect at the next start: ${name}`);
      else this.#running = withOption(this.#running, path, valueIn(wanted.config.options, path));
    }
    this.#applied = essenceOf(wanted);
    this.#config = wanted.config;
    this.#hasFailed = [...before, ...done, ...after].some(({ error }) => error !== undefined);
    // Last: if it fails, everything is in force all the same.
    await configured.keep();
    return [
      ...before.map(networkStep),
      ...done.map(({ action, error }) => portStep(action, error)),
      ...after.map(networkStep),
      ...changes.map((change) => this.#optionStep(change)),
    ];
  }

  #logNetworks(steps: readonly NetworkStep[]): void {
    const { logger } = this.#options;
    for (const { action, error } of steps) {
      const what = describeNetworkAction(action);
      if (error === undefined) logger.info({}, `configuration: ${what}`);
      else logger.error({ reason: describeError(error) }, `configuration: cannot ${what}`);
    }
  }

  #optionsOf({ config }: Wanted): OptionChange[] {
    return planOptions(config.options, this.#running);
  }

  #optionStep({ name, from, to }: OptionChange): PlanEntry {
    const action = this.#options.live.has(name) ? 'apply' : 'restart';
    return { action, port: null, what: name, change: `${said(from)} -> ${said(to)}`, place: null, error: null };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** The contents without places: a port that is moved within the file is unchanged. */
function essenceOf({ config, networks, ports }: Wanted): unknown {
  const withoutPlace = ({ place: _, ...item }: WantedNetwork | WantedPort) => item;
  return [config.options, networks.map(withoutPlace), ports.map(withoutPlace)];
}

function networkStep({
  action,
  error,
}: {
  readonly action: NetworkAction;
  readonly error?: NetworkStep['error'];
}): PlanEntry {
  const { name, place } = action.network;
  return {
    action: action.do,
    port: null,
    what: `network ${name}`,
    change: action.do === 'change' ? describeSettings(action.change) : '',
    place: place === '' ? null : place,
    error: error === undefined ? null : `${error.code}: ${describeError(error)}`,
  };
}

function portStep(action: PortAction, error?: EtherwsError): PlanEntry {
  const { place } = action.port;
  return {
    action: action.do,
    port: action.do === 'add' ? null : action.number,
    what: nameOf(action.port),
    change: action.do === 'change' ? describeChange(action.change) : '',
    place: place === '' || action.do === 'remove' ? null : place,
    error: error === undefined ? null : `${error.code}: ${describeError(error)}`,
  };
}

function failuresIn(steps: readonly PlanEntry[]): number {
  return steps.filter(({ error }) => error !== null).length;
}

function failedRead(reason: string): PlanEntry {
  return { action: 'reread', port: null, what: 'certificates, keys, policy', change: '', place: null, error: reason };
}

function valueIn(options: object, path: readonly string[]): unknown {
  let value: unknown = options;
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

function said(value: unknown): string {
  if (value === undefined) return 'none';
  return Array.isArray(value) ? value.join(',') || 'none' : shownServers(String(value));
}
