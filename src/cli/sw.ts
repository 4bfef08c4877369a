import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { readConfig, type SwConfig, type SwOptions } from '../config/sw-config.ts';
import { EtherwsError } from '../errors.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { isDaemon, launchDaemon, reportReady } from '../runtime/daemonize.ts';
import { requireDescriptors } from '../runtime/descriptor-limit.ts';
import { HangupSignal } from '../runtime/hangup.ts';
import { keepYoungGenerationSmall } from '../runtime/young-generation.ts';
import { Command } from './commander.ts';
import { ReportedFailure } from './report.ts';
import { UsageError } from './usage-error.ts';

const EXIT_PATIENCE_MS = 5000;

/**
 * Node 20 only: V8 11.3 optimizes a function after a thirteenth of its default
 * budget. A switch that is mostly idle would otherwise run its data path in the
 * interpreter for hours. Measured: a ping every 5 ms costs each end 300 µs in the
 * interpreter and 100 µs optimized, reached after some hundred pings. Later
 * versions have Maglev, a compiler in between, and no such flag: they would
 * print a complaint on standard error.
 */
const TIER_UP = { v8Major: '11', flag: '--interrupt-budget=10000' } as const;

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

/** \`etherws sw\`: options as in 1.x, and what a daemon of today has beside them. */
export function swCommand(): Command {
  return new Command('sw')
    .description('run the switch; without --foreground it becomes a daemon once both services listen')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'log every learn, age-out, connect and forward to standard error')
    .option('--foreground', 'stay in the foreground')
    .option('--ageout <sec>', 'ageing time of learned addresses in seconds', '300')
    .option(
      '--fdb-size <n>',
      'the most learned addresses; beyond it the port with the most loses the longest unseen',
      '65536',
    )
    .option(
      '--forward-reserved <digits>',
      'relay 01-80-C2-00-00-0x of these last hexadecimal digits: 0,E for STP and LLDP, or all',
    )
    .optionsGroup('Tunnels:')
    .option('--path <path>', 'where tunnels are accepted', '/')
    .option('--host <host>', 'address to listen on (default: all)')
    .option('--port <port>', 'port to listen on (default: 80, with TLS 443)')
    .option('--wire <wire>', 'auto: many frames a message between switches that know it; raw: always as 1.x', 'auto')
    .option('--congestion <name>', "auto, system, or how the tunnels' TCP answers congestion: cubic, bbr, …", 'auto')
    .option(
      '--aes <library>',
      "auto: the fastest library for tunnels' AES-GCM that is there; openssl: Node's own",
      'auto',
    )
    .option('--grace <sec>', 'how long the port of a lost tunnel waits for its client; 0: not at all (default: 30)')
    .option('--htpasswd <file>', 'users that may join: a file made by htpasswd')
    .option('--tokenkeys <file>', 'clients that may join: with tokens that these keys signed (JWKS, PEM, or a secret)')
    .option('--tokenaudience <name>', 'what such tokens must name in "aud"')
    .option('--client-ca <file>', 'clients that may join: with certificates of these authorities, PEM')
    .option('--origin <origin>', "pages of this web origin may join, too ('*' for all; repeatable)", collect)
    .option('--sslkey <file>', 'private key, PEM')
    .option('--sslcert <file>', 'certificate and its chain, PEM')
    .optionsGroup('Control API:')
    .option('--ctlpath <path>', 'where the control API is served', '/ctl')
    .option('--ctlhost <host>', "address to listen on ('' for all)", '127.0.0.1')
    .option('--ctlport <port>', 'port to listen on', '7867')
    .option('--ctlhtpasswd <file>', 'users that may control: a file made by htpasswd')
    .option('--ctltokenkeys <file>', 'callers that may control: with tokens that these keys signed')
    .option('--ctltokenaudience <name>', 'what such tokens must name in "aud"')
    .option('--ctlclient-ca <file>', 'callers that may control: with certificates of these authorities, PEM')
    .option('--ctlsslkey <file>', 'private key, PEM')
    .option('--ctlsslcert <file>', 'certificate and its chain, PEM')
    .option('--ctlgroup <group>', 'obey the members of this group, beside root and the user of the switch')
    .option('--ctl-anybody', 'obey every user of this host, as 1.x did')
    .option('--ctlsocket <path>', 'serve it on a Unix socket, too, for root and the user of the switch')
    .option('--no-ctl-tcp', 'serve it on the Unix socket only')
    .option('--ctlname <name>', 'a host name under which the control API may be addressed (repeatable)', collect)
    .optionsGroup('Rights:')
    .option('--policy <file>', 'rules for users and groups, YAML (see docs/operate/policy.md)')
    .optionsGroup('Limits, of each service:')
    .option('--trusted-proxy <net>', 'believe X-Forwarded-For and PROXY headers of proxies there (repeatable)', collect)
    .option('--max-tunnels <n>', 'tunnels and handshakes at a time (default: 10000)')
    .option('--max-per-address <n>', 'those of one address (default: 4096; of the unproven 512)')
    .option('--max-per-user <n>', 'those of one user (default: 1024)')
    .option('--max-unproven <n>', 'connections that have not shown credentials (default: 1024)')
    .option('--handshake-timeout <sec>', 'how long that may take (default: 10)')
    .option('--login-failures <n>', 'wrong passwords of an address before it has to wait (default: 20)')
    .option(
      '--max-message <bytes>',
      'the longest message taken on the raw wire (default: 262144); batched: always 1048576',
    )
    .option('--max-queue <bytes>', 'what may wait for a slow reader; more is dropped (default: 1048576)')
    .option('--max-buffers <mib>', 'what all queues and unfinished messages may hold together (default: 256)')
    .optionsGroup('Daemon:')
    .option('--user <name>', 'become this user once both services listen; keeps CAP_NET_ADMIN and CAP_NET_RAW')
    .option('--group <name>', "and this group (default: the user's own)")
    .option('--logformat <format>', 'text or json', 'text')
    .option('--logfile <file>', 'append the log to a file instead of standard error; SIGHUP opens it anew')
    .option('--pidfile <file>', 'write the process id there')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .action((options: SwOptions) => runSwitch(options));
}

async function runSwitch(options: SwOptions): Promise<void> {
  requireDescriptors();
  const config = configOf(options);
  if (!config.isForeground && !isDaemon()) {
    const status = await launchDaemon();
    if (status !== 0) throw new ReportedFailure(status);
    return;
  }
  const hangup = new HangupSignal();
  await serve(config, await createLogger({ isDebug: config.isDebug, format: config.logFormat }), hangup);
}

/** What does not fit together is wrong usage; a file that cannot be read is a failure. */
function configOf(options: SwOptions): SwConfig {
  try {
    return readConfig(withAbsoluteFiles(options));
  } catch (error) {
    if (error instanceof EtherwsError && error.code === 'ARGUMENT_INVALID')
      throw new UsageError(error.message, error.hint);
    throw error;
  }
}

async function serve(config: SwConfig, logger: Logger, hangup: HangupSignal): Promise<void> {
  keepYoungGenerationSmall();
  if (process.versions.v8.startsWith(`${TIER_UP.v8Major}.`)) setFlagsFromString(TIER_UP.flag);
  // Loaded here: the parent of a daemon needs none of it.
  const { Daemon } = await import('../daemon/daemon.ts');
  const { becomeAccount, findAccount, forbidNewPrivileges } = await import('../runtime/privileges.ts');
  const { LogFile, silenceStandardError } = await import('../runtime/log-file.ts');
  const { PidFile } = await import('../runtime/pid-file.ts');
  const { runAs } = config;
  const account = runAs === undefined ? undefined : findAccount(runAs.user, runAs.group);
  forbidNewPrivileges();
  const pidFile = config.pidFile === undefined ? undefined : new PidFile(config.pidFile, account);
  pidFile?.check();
  // Also when the second signal ends the process at once.
  process.once('exit', () => pidFile?.remove());
  const logFile = config.logFile === undefined ? undefined : LogFile.open(config.logFile, account);
  const daemon = await Daemon.start(config, logger, account);
  const terminated = terminationSignal();
  try {
    pidFile?.write();
    if (account !== undefined) becomeAccount(account);
  } catch (error) {
    await daemon.close();
    throw error;
  }
  const isInBackground = isDaemon();
  if (isInBackground) await reportReady();
  if (logFile !== undefined) logFile.takeOver();
  else if (isInBackground) silenceStandardError();
  logger.info({ pid: process.pid }, 'ready');
  hangup.serveBy(() => daemon.reload(() => logFile?.reopen()));
  const signal = await terminated;
  hangup.stop();
  logger.info({ signal }, 'closing');
  await daemon.close();
  // Nothing is left that keeps the process alive. Should that ever be untrue, an operator still wants it to end.
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

/** Log, PID file and socket may be named relative to where the command was typed; the daemon moves to /. */
function withAbsoluteFiles(options: SwOptions): SwOptions {
  return {
    ...options,
    ...(options.logfile === undefined ? {} : { logfile: resolve(options.logfile) }),
    ...(options.ctlsocket === undefined ? {} : { ctlsocket: resolve(options.ctlsocket) }),
    ...(options.pidfile === undefined ? {} : { pidfile: resolve(options.pidfile) }),
  };
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
