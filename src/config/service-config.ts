import type { AddressInfo } from 'node:net';
import { type Problem, problemAt } from '../schema/check.ts';
import { CONTROL_OPTIONS, TUNNEL_OPTIONS } from '../schema/service-options.ts';
import type { SwValues } from '../schema/sw-options.ts';
import type { NamedFiles } from './named-files.ts';

/** The kinds of credentials that a service accepts; one of them suffices. Files are real paths of readable files. */
export interface LoginConfig {
  readonly htpasswd: string | undefined;
  readonly tokens: { readonly keyFile: string; readonly audience: string } | undefined;
  /** The certificate authorities of clients; needs TLS. */
  readonly clientCaFile: string | undefined;
}

/** The files of a service's key and certificate. */
export interface TlsFiles {
  readonly keyFile: string;
  readonly certFile: string;
  /** reads these files, and that of the authorities of clients; default: from the file system */
  readonly read?: (path: string) => Promise<{ readonly text: string }>;
}

/** Where and how one of the two services is served. Files are real paths of readable files. */
export interface ServiceConfig {
  readonly path: string;
  /** undefined: all addresses */
  readonly host: string | undefined;
  readonly listenPort: number;
  /** A listening socket to be used instead of host and port. */
  readonly descriptor?: number;
  /** Another process of the service listens there, and hands connections over. */
  readonly handed?: AddressInfo;
  readonly tls: TlsFiles | undefined;
  readonly login: LoginConfig;
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export function tunnelService({ tunnels = {} }: SwValues, files: NamedFiles): ServiceConfig {
  const { path = TUNNEL_OPTIONS.path.default, host = '', port, tokenaudience } = tunnels;
  const tls = tlsOf('tunnels', files);
  return {
    path,
    host: host === '' ? undefined : host,
    listenPort: port ?? (tls === undefined ? HTTP_PORT : HTTPS_PORT),
    tls,
    login: loginOf('tunnels', files, tokenaudience),
  };
}

export function controlService({ control = {} }: SwValues, files: NamedFiles): ServiceConfig {
  const { path: defaultPath, host: defaultHost, port: defaultPort } = CONTROL_OPTIONS;
  const { path = defaultPath.default, host = defaultHost.default, port, tokenaudience } = control;
  return {
    path,
    host: host === '' ? undefined : host,
    listenPort: port ?? defaultPort.default,
    tls: tlsOf('control', files),
    login: loginOf('control', files, tokenaudience),
  };
}

/** Contradictions between two services that share a listener. */
export function sharedProblems(tunnels: ServiceConfig, control: ServiceConfig): Problem[] {
  const problems: Problem[] = [];
  if (tunnels.path === control.path) {
    problems.push(
      problemAt(
        [],
        {
          sentence: '{.tunnels.path} and {.control.path} are both {value}, and both services share host and port',
          hint: 'Give them different paths, or different ports',
        },
        tunnels.path,
      ),
    );
  }
  if (tunnels.tls?.keyFile !== control.tls?.keyFile || tunnels.tls?.certFile !== control.tls?.certFile) {
    const [key, cert] = ['{.tunnels.sslkey} and {.control.sslkey}', '{.tunnels.sslcert} and {.control.sslcert}'];
    problems.push(
      problemAt([], {
        sentence: 'Both services share host and port, but not key and certificate',
        hint: `Give ${key}, ${cert} the same files, or use different ports`,
      }),
    );
  }
  const [tunnelCa, controlCa] = [tunnels.login.clientCaFile, control.login.clientCaFile];
  if (tunnelCa !== undefined && controlCa !== undefined && tunnelCa !== controlCa) {
    const both = '{.tunnels.clientCa} and {.control.clientCa}';
    problems.push(
      problemAt([], {
        sentence: `Both services share host and port, but ${both} name different authorities`,
        hint: 'TLS verifies a certificate before it knows the path: give both the same file, or use different ports',
      }),
    );
  }
  return problems;
}

/** The path of the console, and all paths below it. */
const CONSOLE = /^\/console(\/|$)/;

/** Contradictions between the paths of services and that of the console, which is on the listener of the control API. */
export function consoleProblems(tunnels: ServiceConfig, control: ServiceConfig, isShared: boolean): Problem[] {
  const paths = [
    ['control.path', control.path] as const,
    ...(isShared ? [['tunnels.path', tunnels.path] as const] : []),
  ];
  return paths
    .filter(([, path]) => CONSOLE.test(path))
    .map(([name, path]) =>
      problemAt(
        [],
        {
          sentence: `{.${name}} is {value}, where the console is`,
          hint: 'Give another path, or {.control.console:false}',
        },
        path,
      ),
    );
}

/** Whether the service asks for credentials. */
export function isOpen({ htpasswd, tokens, clientCaFile }: LoginConfig): boolean {
  return htpasswd === undefined && tokens === undefined && clientCaFile === undefined;
}

function tlsOf(section: string, files: NamedFiles): ServiceConfig['tls'] {
  const [keyFile, certFile] = [files.at(section, 'sslkey'), files.at(section, 'sslcert')];
  return keyFile === undefined || certFile === undefined ? undefined : { keyFile, certFile };
}

function loginOf(section: string, files: NamedFiles, audience: string | undefined): LoginConfig {
  const keyFile = files.at(section, 'tokenkeys');
  return {
    htpasswd: files.at(section, 'htpasswd'),
    tokens: keyFile === undefined || audience === undefined ? undefined : { keyFile, audience },
    clientCaFile: files.at(section, 'clientCa'),
  };
}
