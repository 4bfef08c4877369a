import { readPasswordFile } from '../auth/password-file.ts';
import { changeOf, describeAction, type PortAction, planPorts, type RunningPort } from '../config/port-plan.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { PortEntry, SwitchControl } from '../control/schema.ts';
import { describeError, EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { check } from '../schema/check.ts';
import { portSpec } from '../schema/port-spec.ts';

/** The ports that a configuration file wants, and those that run because of it. */
export class ConfiguredPorts {
  readonly #control: SwitchControl;
  readonly #logger: Logger;
  /** by number */
  readonly #running = new Map<number, WantedPort>();
  /** those that could not be opened or changed; the next `apply` tries again */
  #wanted: readonly WantedPort[] = [];

  constructor(control: SwitchControl, logger: Logger) {
    this.#control = control;
    this.#logger = logger;
  }

  /** The steps from what runs now to what is wanted. */
  plan(wanted: readonly WantedPort[]): PortAction[] {
    return planPorts(wanted, this.#state());
  }

  /**
   * Opens all ports, or none.
   * @throws EtherwsError of the first that cannot be opened, with its place in the file
   */
  async open(wanted: readonly WantedPort[]): Promise<void> {
    this.#wanted = wanted;
    for (const action of this.plan(wanted)) {
      try {
        await this.#do(action);
      } catch (error) {
        throw placed(action.port, error);
      }
    }
  }

  /** Takes the steps of a plan, and all of them though one fails. @returns what failed */
  async apply(wanted: readonly WantedPort[]): Promise<EtherwsError[]> {
    this.#wanted = wanted;
    const failures: EtherwsError[] = [];
    for (const action of this.plan(wanted)) {
      try {
        await this.#do(action);
        this.#logger.info({}, `configuration: ${describeAction(action)}`);
      } catch (error) {
        failures.push(placed(action.port, error));
      }
    }
    // A port that stays may stand elsewhere in the file now.
    for (const [number, { id }] of this.#running) {
      const now = wanted.find((port) => port.id === id);
      if (now !== undefined) this.#running.set(number, now);
    }
    return failures;
  }

  /** How a port relates to the file: `added` by a call, `changed` by one, or as the `file` has it. */
  markOf({ port: number }: PortEntry): 'file' | 'changed' | 'added' {
    const state = this.#state().find((running) => running.number === number);
    if (state === undefined) return 'added';
    return Object.keys(changeOf(state.wanted, state)).length === 0 ? 'file' : 'changed';
  }

  /** What of the file is not so now, in words. */
  deviations(): string[] {
    return this.plan(this.#wanted).map(describeAction);
  }

  #state(): RunningPort[] {
    const devices = new Map(this.#control.listInterfaces().map((entry) => [entry.port, entry]));
    return this.#control.listPorts().flatMap(({ port: number, name, description, shut }) => {
      const wanted = this.#running.get(number);
      if (wanted === undefined) return [];
      const device = devices.get(number);
      const settings = device === undefined ? {} : { addresses: device.addresses, mtu: device.mtu };
      return [{ number, wanted, name, description, shut, ...settings }];
    });
  }

  async #do(action: PortAction): Promise<void> {
    if (action.do === 'add') return this.#add(action.port);
    if (action.do === 'remove') {
      this.#running.delete(action.number);
      await this.#control.delPort(action.number);
      return;
    }
    const { addresses, mtu, ...settings } = action.change;
    this.#control.setPort(action.number, settings);
    this.#setInterface(action.number, { ...(addresses && { addresses }), ...(mtu === undefined ? {} : { mtu }) });
  }

  async #add(wanted: WantedPort): Promise<void> {
    const { port: number } = await this.#control.addPort(await this.#withSecrets(wanted));
    this.#running.set(number, wanted);
    const { shut, ...device } = wanted.settings;
    try {
      if (shut === true) this.#control.setPort(number, { shut });
      this.#setInterface(number, device);
    } catch (error) {
      // A port without its addresses is none that the file wants.
      this.#running.delete(number);
      await this.#control.delPort(number);
      throw error;
    }
  }

  #setInterface(number: number, settings: Parameters<SwitchControl['setInterface']>[1]): void {
    if (Object.keys(settings).length > 0) this.#control.setInterface(number, settings);
  }

  /** Secrets are read whenever a port is opened, so that a new one counts without a change of the file. */
  async #withSecrets({ spec, secretFiles }: WantedPort): Promise<WantedPort['spec']> {
    const secrets: Record<string, string> = {};
    const warn = (warning: string): void => this.#logger.warn({}, warning);
    for (const [key, file] of Object.entries(secretFiles)) secrets[key] = await readPasswordFile(file, warn);
    if (Object.keys(secrets).length === 0) return spec;
    return check(portSpec, { ...spec, options: { ...spec.options, ...secrets } });
  }
}

function placed({ place }: WantedPort, error: unknown): EtherwsError {
  if (!(error instanceof EtherwsError)) return new EtherwsError('CONFIG_INVALID', `${place}: ${describeError(error)}`);
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EtherwsError(error.code, `${place}: ${error.message}`, { cause: error, ...hint });
}
