import { invalidOption, readableFile, readableFileIfGiven, readWhole } from './option-values.ts';

/** The credentials that a service takes, of which one suffices. Files are real paths that can be read. */
export interface LoginConfig {
  readonly htpasswd: string | undefined;
  readonly tokens: { readonly keyFile: string; readonly audience: string } | undefined;
  /** The authorities that vouch for clients; needs TLS. */
  readonly clientCaFile: string | undefined;
}

/** Where and how one of the two services is served. Files are real paths that can be read. */
export interface ServiceConfig {
  readonly path: string;
  /** undefined: every address */
  readonly host: string | undefined;
  readonly listenPort: number;
  readonly tls: { readonly keyFile: string; readonly certFile: string } | undefined;
  readonly login: LoginConfig;
}

/** What was typed for one service. */
export interface ServiceOptions {
  readonly path: string;
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly sslkey: string | undefined;
  readonly sslcert: string | undefined;
  readonly htpasswd: string | undefined;
  readonly tokenkeys: string | undefined;
  readonly tokenaudience: string | undefined;
  readonly clientCa: string | undefined;
}

/**
 * @param prefix what the names of this service's options begin with
 * @throws EtherwsError ARGUMENT_INVALID or FILE_UNREADABLE, naming the option
 */
export function readService(prefix: '' | 'ctl', options: ServiceOptions): ServiceConfig {
  const { path, host, port } = options;
  if (!path.startsWith('/')) throw invalidOption(`--${prefix}path must begin with "/", got "${path}"`);
  if (/[?#\s]/.test(path)) throw invalidOption(`--${prefix}path must have no query, fragment or space, got "${path}"`);
  const tls = readTls(prefix, options);
  const defaultPort = tls === undefined ? 80 : 443;
  return {
    path,
    host: host === '' ? undefined : host,
    listenPort: port === undefined ? defaultPort : readWhole(`--${prefix}port`, port, 0, 65_535),
    tls,
    login: readLogin(prefix, options, tls !== undefined),
  };
}

/** @throws EtherwsError ARGUMENT_INVALID when two services that share a listener contradict each other */
export function checkShared(tunnels: ServiceConfig, control: ServiceConfig): void {
  if (tunnels.path === control.path) {
    throw invalidOption(
      `--path and --ctlpath are both "${tunnels.path}", and both services share host and port`,
      'Give them different paths, or different ports',
    );
  }
  if (tunnels.tls?.keyFile !== control.tls?.keyFile || tunnels.tls?.certFile !== control.tls?.certFile) {
    throw invalidOption(
      'Both services share host and port, but not key and certificate',
      'Give --sslkey and --ctlsslkey, --sslcert and --ctlsslcert the same files, or use different ports',
    );
  }
  const [tunnelCa, controlCa] = [tunnels.login.clientCaFile, control.login.clientCaFile];
  if (tunnelCa !== undefined && controlCa !== undefined && tunnelCa !== controlCa) {
    throw invalidOption(
      'Both services share host and port, but --client-ca and --ctlclient-ca name different authorities',
      'TLS verifies a certificate before it knows the path: give both the same file, or use different ports',
    );
  }
}

/** Whether the service asks for credentials. */
export function isOpen({ htpasswd, tokens, clientCaFile }: LoginConfig): boolean {
  return htpasswd === undefined && tokens === undefined && clientCaFile === undefined;
}

function readTls(prefix: string, { sslkey, sslcert }: ServiceOptions): ServiceConfig['tls'] {
  if (sslkey === undefined && sslcert === undefined) return undefined;
  if (sslkey === undefined || sslcert === undefined) {
    const [given, missing] = sslkey === undefined ? ['cert', 'key'] : ['key', 'cert'];
    throw invalidOption(
      `--${prefix}ssl${given} needs --${prefix}ssl${missing}, too`,
      'TLS needs the private key and its certificate',
    );
  }
  return {
    keyFile: readableFile(`--${prefix}sslkey`, sslkey),
    certFile: readableFile(`--${prefix}sslcert`, sslcert),
  };
}

function readLogin(prefix: string, options: ServiceOptions, hasTls: boolean): LoginConfig {
  const { htpasswd, tokenkeys, tokenaudience, clientCa } = options;
  if (tokenkeys === undefined && tokenaudience !== undefined) {
    throw invalidOption(`--${prefix}tokenaudience needs --${prefix}tokenkeys, too`);
  }
  if (tokenkeys !== undefined && (tokenaudience === undefined || tokenaudience === '')) {
    throw invalidOption(
      `--${prefix}tokenkeys needs --${prefix}tokenaudience, too`,
      'A token that was made for another service must not open this one: say what tokens for this one name in "aud"',
    );
  }
  if (clientCa !== undefined && !hasTls) {
    throw invalidOption(
      `--${prefix}client-ca needs --${prefix}sslkey and --${prefix}sslcert, too`,
      'Clients show certificates only in TLS',
    );
  }
  const keyFile = readableFileIfGiven(`--${prefix}tokenkeys`, tokenkeys);
  return {
    htpasswd: readableFileIfGiven(`--${prefix}htpasswd`, htpasswd),
    tokens: keyFile === undefined || tokenaudience === undefined ? undefined : { keyFile, audience: tokenaudience },
    clientCaFile: readableFileIfGiven(`--${prefix}client-ca`, clientCa),
  };
}
