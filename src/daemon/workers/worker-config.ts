import type { LoginConfig } from '../../config/service-config.ts';
import type { SwConfig } from '../../config/sw-config.ts';
import type { WorkerTask } from './worker-messages.ts';

const NO_LOGIN: LoginConfig = { htpasswd: undefined, tokens: undefined, clientCaFile: undefined };

/** The configuration of a worker: it accepts tunnels, and the first process does all else. It can be sent to a process. */
export function workerConfig(config: SwConfig, number: number): SwConfig {
  const { control, tunnels, stateFile } = config;
  return {
    ...config,
    workers: 1,
    ports: [],
    hooks: [],
    // It is a node of the mesh of its service.
    cluster: undefined,
    isShared: false,
    hasConsole: false,
    control: { ...control, tls: undefined, login: NO_LOGIN },
    local: { socketPath: undefined, group: undefined, isForAnybody: false, hasTcp: false },
    tunnels: { ...tunnels, descriptor: undefined as never },
    metricsListen: undefined,
    runAs: undefined,
    logFile: undefined,
    pidFile: undefined,
    // A file of its own: the ports of its tunnels wait for their clients after a restart, as those of the first process do.
    stateFile: stateFile === undefined ? undefined : `${stateFile}.worker-${number}`,
  };
}

/** The configuration as the worker uses it: with the connections and the files that the first process gives it. */
export function configOfTask({ config, address }: WorkerTask, pemAt: (path: string) => string | undefined): SwConfig {
  const { tls } = config.tunnels;
  const read = async (path: string): Promise<{ readonly text: string }> => {
    const text = pemAt(path);
    if (text === undefined) throw new TypeError(`the first process gave no ${path}`);
    return { text };
  };
  const { descriptor: _, ...tunnels } = config.tunnels;
  return {
    ...config,
    tunnels: { ...tunnels, handed: address, tls: tls === undefined ? undefined : { ...tls, read } },
  };
}
