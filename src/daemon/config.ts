import { accessSync, constants, realpathSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';
import type { LogFormat } from '../observability/logger.ts';

/** The options of `etherws sw` as they were typed: commander's camel case, values still text. */
export interface SwOptions {
  debug?: boolean;
  foreground?: boolean;
  ageout: string;
  fdbSize: string;
  path: string;
  host?: string;
  port?: string;
  htpasswd?: string;
  sslkey?: string;
  sslcert?: string;
  ctlpath: string;
  ctlhost: string;
  ctlport: string;
  ctlhtpasswd?: string;
  ctlsslkey?: string;
  ctlsslcert?: string;
  ctlname?: string[];
  wire: string;
  logformat: string;
  logfile?: string;
  pidfile?: string;
}

/** Where and how one of the two services is served. Files are real paths that can be read. */
export interface ServiceConfig {
  readonly path: string;
  /** undefined: every address */
  readonly host: string | undefined;
  readonly listenPort: number;
  readonly htpasswd: string | undefined;
  readonly tls: { readonly keyFile: string; readonly certFile: string } | undefined;
}

export interface SwConfig {
  readonly isDebug: boolean;
  readonly isForeground: boolean;
  readonly ageingTimeMs: number;
  readonly fdbCapacity: number;
  readonly tunnels: ServiceConfig;
  readonly control: ServiceConfig;
  /** Whether both services share one listener. */
  readonly isShared: boolean;
  /** Names under which the control API may be addressed beside addresses and `localhost`. */
  readonly controlNames: readonly string[];
  /** What tunnels speak, accepted ones and dialled ones. */
  readonly wire: 'auto' | 'raw';
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  readonly pidFile: string | undefined;
}

/**
 * Validates what was typed, before anything is opened.
 * @throws EtherwsError ARGUMENT_INVALID or FILE_UNREADABLE, naming the option
 */
export function readConfig(options: SwOptions): SwConfig {
  const tunnels = readService('', options.path, options.host, options.port, {
    htpasswd: options.htpasswd,
    key: options.sslkey,
    cert: options.sslcert,
  });
  const control = readService('ctl', options.ctlpath, options.ctlhost, options.ctlport, {
    htpasswd: options.ctlhtpasswd,
    key: options.ctlsslkey,
    cert: options.ctlsslcert,
  });
  const isShared = tunnels.host === control.host && tunnels.listenPort === control.listenPort;
  if (isShared) checkShared(tunnels, control);
  if (options.logformat !== 'text' && options.logformat !== 'json') {
    throw invalid(`--logformat must be text or json, got "${options.logformat}"`);
  }
  if (options.wire !== 'auto' && options.wire !== 'raw')
    throw invalid(`--wire must be auto or raw, got "${options.wire}"`);
  return {
    isDebug: options.debug === true,
    isForeground: options.foreground === true,
    ageingTimeMs: readSeconds('--ageout', options.ageout) * 1000,
    fdbCapacity: readWhole('--fdb-size', options.fdbSize, 1, 16_777_216),
    tunnels,
    control,
    isShared,
    controlNames: (options.ctlname ?? []).map((name) => name.toLowerCase()),
    wire: options.wire,
    logFormat: options.logformat,
    logFile: options.logfile,
    pidFile: options.pidfile,
  };
}

function readService(
  prefix: '' | 'ctl',
  path: string,
  host: string | undefined,
  port: string | undefined,
  files: { htpasswd: string | undefined; key: string | undefined; cert: string | undefined },
): ServiceConfig {
  if (!path.startsWith('/')) throw invalid(`--${prefix}path must begin with "/", got "${path}"`);
  if (/[?#\s]/.test(path)) throw invalid(`--${prefix}path must have no query, fragment or space, got "${path}"`);
  if ((files.key === undefined) !== (files.cert === undefined)) {
    const [given, missing] = files.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    throw invalid(
      `--${prefix}ssl${given} needs --${prefix}ssl${missing}, too`,
      'TLS needs the private key and its certificate',
    );
  }
  const tls =
    files.key === undefined || files.cert === undefined
      ? undefined
      : {
          keyFile: readableFile(`--${prefix}sslkey`, files.key),
          certFile: readableFile(`--${prefix}sslcert`, files.cert),
        };
  const defaultPort = tls === undefined ? 80 : 443;
  return {
    path,
    host: host === '' ? undefined : host,
    listenPort: port === undefined ? defaultPort : readWhole(`--${prefix}port`, port, 0, 65_535),
    htpasswd: files.htpasswd === undefined ? undefined : readableFile(`--${prefix}htpasswd`, files.htpasswd),
    tls,
  };
}

function checkShared(tunnels: ServiceConfig, control: ServiceConfig): void {
  if (tunnels.path === control.path) {
    throw invalid(
      `--path and --ctlpath are both "${tunnels.path}", and both services share host and port`,
      'Give them different paths, or different ports',
    );
  }
  if (tunnels.tls?.keyFile !== control.tls?.keyFile || tunnels.tls?.certFile !== control.tls?.certFile) {
    throw invalid(
      'Both services share host and port, but not key and certificate',
      'Give --sslkey and --ctlsslkey, --sslcert and --ctlsslcert the same files, or use different ports',
    );
  }
}

function readableFile(option: string, file: string): string {
  try {
    const path = realpathSync(file);
    accessSync(path, constants.R_OK);
    return path;
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new EtherwsError('FILE_UNREADABLE', `${option}: cannot read "${file}": ${reason}`, {
      cause: error,
      hint: 'Check the path and its permissions',
    });
  }
}

function readWhole(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw invalid(`${option} must be a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

function readSeconds(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1_000_000)) {
    throw invalid(`${option} must be a number of seconds above 0 and up to 1000000, got "${text}"`);
  }
  return value;
}

function invalid(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, hint === undefined ? {} : { hint });
}
