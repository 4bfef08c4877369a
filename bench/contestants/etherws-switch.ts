import { type Lab, OVERLAY, OVERLAY_NETMASK, type Place, retry, type Side, TUNNEL_DEVICE } from '../lab/lab.ts';
import { type Build, etherwsProgram } from './build.ts';
import type { CertificateFiles } from './certificate.ts';

/** The TCP port on which the switches of a lab listen for tunnels. */
export const LISTEN_PORT = 8000;

/** All idle clients have one address; the default limit is lower. */
const MANY_OF_ONE_ADDRESS = ['--max-per-address', '10000', '--max-unproven', '10000'];

export interface SwitchOptions {
  readonly build: Build;
  /** The Node that runs the switch, and its options, such as for profiling. */
  readonly node: string;
  readonly nodeOptions: readonly string[];
  /** Further options of `etherws sw`. */
  readonly options: readonly string[];
}

/** A switch that runs as a user starts it, and its control command. */
export class EtherwsSwitch {
  readonly #lab: Lab;
  readonly #place: Place;
  readonly #program: string;

  private constructor(lab: Lab, place: Place, program: string) {
    this.#lab = lab;
    this.#place = place;
    this.#program = program;
  }

  /** Resolves when the control API answers. */
  static async start(
    lab: Lab,
    place: Place,
    { build, node, nodeOptions, options }: SwitchOptions,
  ): Promise<EtherwsSwitch> {
    const program = await etherwsProgram(build);
    const started = new EtherwsSwitch(lab, place, program);
    const listen = ['--port', String(LISTEN_PORT), ...MANY_OF_ONE_ADDRESS];
    lab.start(place, [node, ...nodeOptions, program, 'sw', '--foreground', ...listen, ...options]);
    await retry('answer of the control API', () => started.ctl('listport'));
    return started;
  }

  /** Runs `etherws ctl` of the same build on the switch's host. @returns its output */
  ctl(...args: string[]): Promise<string> {
    return this.#lab.run(this.#place, [process.execPath, this.#program, 'ctl', ...args]);
  }

  /** Adds a TAP device with the side's overlay address. It must be the first port. */
  async addDevice(side: Side): Promise<void> {
    await this.ctl('addport', 'tap', TUNNEL_DEVICE);
    await this.ctl('setif', '1', '--address', OVERLAY[side], '--netmask', OVERLAY_NETMASK);
  }

  /** Adds a client port. */
  async dial(host: string, files: CertificateFiles | undefined, options: readonly string[]): Promise<void> {
    const scheme = files === undefined ? 'ws' : 'wss';
    const trust = files === undefined ? [] : ['--cacerts', files.certificate];
    await this.ctl('addport', 'client', `${scheme}://${host}:${LISTEN_PORT}/`, ...trust, ...options);
  }
}

/** The options of `etherws sw` for a certificate. */
export function tlsOptions(files: CertificateFiles | undefined): string[] {
  return files === undefined ? [] : ['--sslkey', files.key, '--sslcert', files.certificate];
}
