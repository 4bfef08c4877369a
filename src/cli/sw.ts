import { resolve } from 'node:path';
import { withPassedSockets } from '../config/passed-sockets.ts';
import { readConfig, type SwConfig } from '../config/sw-config.ts';
import type { DaemonOptions } from '../daemon/daemon.ts';
import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { isDaemon, launchDaemon, reportReady } from '../runtime/daemonize.ts';
import { requireDescriptors } from '../runtime/descriptor-limit.ts';
import { optimizeEarly } from '../runtime/early-optimization.ts';
import { HangupSignal } from '../runtime/hangup.ts';
import { takeInheritedSockets } from '../runtime/inherited-sockets.ts';
import { ServiceManager } from '../runtime/service-manager.ts';
import { keepYoungGenerationSmall } from '../runtime/young-generation.ts';
import { Command } from './commander.ts';
import { ReportedFailure } from './report.ts';
import { addSwOptions, TYPED, typedDocument } from './sw-options.ts';
import { UsageError } from './usage-error.ts';

const EXIT_PATIENCE_MS = 5000;

const EXAMPLES = `
Examples:
  A switch for a lab, reachable from everywhere, in the foreground:
    $ etherws sw --foreground --port 8000

  A relay on a public address, with TLS and passwords:
    $ htpasswd -cB /etc/etherws/htpasswd alice
    $ etherws sw --sslkey key.pem --sslcert cert.pem --htpasswd /etc/etherws/htpasswd

  Tunnels and control behind one port:
    $ etherws sw --port 8000 --ctlhost '' --ctlport 8000 --ctlhtpasswd /etc/etherws/admins

Ports are added with \`etherws ctl\`; see \`etherws ctl --help\`.`;

/** `etherws sw`: the options of 1.x, and newer ones. */
export function swCommand(): Command {
  const command = new Command('sw')
    .description('run the switch; without --foreground it becomes a daemon once both services listen')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .action((options: Record<string, unknown>) => runSwitch(options));
  command.option(
    '--config <file>',
    'options and ports, YAML (see docs/operate/configuration.md); options here override it',
  );
  addSwOptions(command);
  return command;
}

async function runSwitch(options: Record<string, unknown>): Promise<void> {
  requireDescriptors();
  const { config: file, ...typedOptions } = options;
  const typed = typedDocument(typedOptions);
  // A daemon reads the file again after it has changed its directory.
  const path = typeof file === 'string' ? resolve(file) : undefined;
  const config = withPassedSockets(await configOf(path, typed), takeInheritedSockets());
  const source = path === undefined ? undefined : { path, read: () => loadConfig(path, typed) };
  if (!config.isForeground && !isDaemon()) {
    const status = await launchDaemon();
    if (status !== 0) throw new ReportedFailure(status);
    return;
  }
  const hangup = new HangupSignal();
  const { isDebug, logFormat: format } = config;
  await serve(config, await createLogger({ isDebug, format, sendDatagram }), hangup, source);
}

/** For journald. The addon is loaded by the first line for it. */
function sendDatagram(socket: string, octets: Uint8Array): void {
  nativeAddon().sendUnixDatagram(socket, octets);
}

/** Invalid options are wrong usage (status 2); an unreadable or invalid file is a failure (status 1). */
async function configOf(file: string | undefined, typed: Record<string, unknown>): Promise<SwConfig> {
  try {
    return file === undefined ? readConfig(typed, TYPED) : await loadConfig(file, typed);
  } catch (error) {
    if (error instanceof EtherwsError && error.code === 'ARGUMENT_INVALID')
      throw new UsageError(error.message, error.hint);
    throw error;
  }
}

/**
 * The configuration of a file and of the command line together.
 * @throws EtherwsError FILE_UNREADABLE; CONFIG_INVALID with all errors of the file; ARGUMENT_INVALID for typed options
 */
export async function loadConfig(file: string, typed: Record<string, unknown> = {}): Promise<SwConfig> {
  // Loaded on use: the YAML library takes 2 MiB.
  const { ConfigFile } = await import('../config/config-file.ts');
  const source = new ConfigFile(file);
  return readConfig(source.documentWith(typed), source.writtenWith(typed, TYPED));
}

async function serve(
  config: SwConfig,
  logger: Logger,
  hangup: HangupSignal,
  file: DaemonOptions['file'],
): Promise<void> {
  keepYoungGenerationSmall();
  const manager = ServiceManager.find(logger);
  optimizeEarly();
  const { Daemon } = await loadDaemon();
  const { becomeAccount, findAccount, forbidNewPrivileges } = await import('../runtime/privileges.ts');
  const { LogFile, silenceStandardError } = await import('../runtime/log-file.ts');
  const { PidFile } = await import('../runtime/pid-file.ts');
  const { runAs } = config;
  const account = runAs === undefined ? undefined : findAccount(runAs.user, runAs.group);
  forbidNewPrivileges();
  const pidFile = config.pidFile === undefined ? undefined : new PidFile(config.pidFile, account);
  pidFile?.check();
  // On 'exit', since the second signal ends the process at once.
  process.once('exit', () => pidFile?.remove());
  const logFile = config.logFile === undefined ? undefined : LogFile.open(config.logFile, account);
  const daemon = await Daemon.start(config, logger, { owner: account, file, reopenLog: () => logFile?.reopen() });
  const terminated = terminationSignal();
  try {
    pidFile?.write();
    if (account !== undefined) becomeAccount(account);
    await daemon.keepState();
    await daemon.startWorkers();
    daemon.startHooks();
  } catch (error) {
    await daemon.close();
    throw error;
  }
  const isInBackground = isDaemon();
  if (isInBackground) await reportReady();
  if (logFile !== undefined) logFile.takeOver();
  else if (isInBackground) silenceStandardError();
  logger.info({ pid: process.pid }, 'ready');
  if (manager !== undefined) daemon.followStatus((line) => manager.status(line));
  manager?.ready();
  const reload = async (): Promise<void> => {
    await daemon.reload();
  };
  hangup.serveBy(() => manager?.reloading(reload) ?? reload());
  const signal = await terminated;
  hangup.stop();
  manager?.stopping();
  logger.info({ signal }, 'closing');
  await daemon.close();
  // By now nothing should keep the process alive. If a handle does by mistake, the process still ends.
  setTimeout(() => process.exit(0), EXIT_PATIENCE_MS).unref();
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (!isFirst) process.exit(130);
        isFirst = false;
        resolve(signal);
      });
    }
  });
}

/**
 * Loads the daemon on use, since the parent of a daemon does not need it. Node opens all files of an import at once, some
 * 160 in one go: room by room there are fewer than 80, and a switch starts with 128 descriptors.
 */
async function loadDaemon(): Promise<typeof import('../daemon/daemon.ts')> {
  await import('../control/schema.ts');
  await import('../bridge/bridge.ts');
  await import('../networks/switch.ts');
  await import('../ports/registry.ts');
  await import('../console/console-server.ts');
  return import('../daemon/daemon.ts');
}
