import type { IncomingMessage } from 'node:http';

/** The address of a server as its client sees it: that in the address bar of a browser. */
export interface Site {
  readonly scheme: 'http' | 'https';
  /** a name or an address, with the port if it is not that of the scheme; '' if the request names none */
  readonly host: string;
}

/** The site of a request that came without a proxy. */
export function siteOfSocket({ headers, socket }: IncomingMessage): Site {
  return { scheme: 'encrypted' in socket ? 'https' : 'http', host: headers.host ?? '' };
}

/** The site of a request that a trusted proxy has passed on: what it says, and else what its own request says. */
export function siteOfProxied(request: IncomingMessage): Site {
  const own = siteOfSocket(request);
  const { headers } = request;
  const scheme = firstOf(headers['x-forwarded-proto'])?.toLowerCase();
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : own.scheme,
    host: firstOf(headers['x-forwarded-host']) ?? own.host,
  };
}

/** The first of a list: of several proxies the farthest, which is next to the client. */
function firstOf(field: string | string[] | undefined): string | undefined {
  const first = String(field ?? '')
    .split(',', 1)[0]
    ?.trim();
  return first === '' ? undefined : first;
}
