import type { IncomingMessage } from 'node:http';
import type { Refusal as HttpRefusal } from '../net/http-refusal.ts';
import type { Site } from '../net/site.ts';
import { CallerCheck, type CallerCheckOptions } from './caller-check.ts';
import type { UserRights } from './methods.ts';
import { type Refusal, refuseOrigin } from './request-guard.ts';
import type { MethodName } from './schema.ts';

export interface ReadAccessOptions extends CallerCheckOptions, UserRights {
  /** as `ControlServerOptions.allowedHosts` */
  readonly allowedHosts: () => readonly string[];
  /** as `ControlServerOptions.siteOf` */
  readonly siteOf?: (request: IncomingMessage) => Site;
}

/** Access to pages beside the control API, for callers that may call a method with the same information. */
export class ReadAccess {
  readonly #options: ReadAccessOptions;
  readonly #callers: CallerCheck;

  constructor(options: ReadAccessOptions) {
    this.#options = options;
    this.#callers = new CallerCheck(options);
  }

  /** @returns undefined for an authorized caller. Never rejects */
  async refusalOf(request: IncomingMessage, method: MethodName): Promise<HttpRefusal | undefined> {
    const { allowedHosts, siteOf, mayCall, networksOf, counters } = this.#options;
    const caller = refuseOrigin(request, allowedHosts(), siteOf?.(request)) ?? (await this.#callers.check(request));
    if ('status' in caller) return this.#asPage(caller);
    // The page has all networks.
    const isLimited = networksOf?.(caller.user) !== undefined;
    if (!isLimited && (mayCall?.(caller.user, method) ?? true)) return undefined;
    counters.forbidden++;
    const message = `This page is for users that may call ${method}${isLimited ? ' for all networks' : ''}`;
    return this.#asPage({
      status: 403,
      code: 'METHOD_FORBIDDEN',
      message,
      hint: 'The policy of the switch can allow it',
    });
  }

  #asPage({ status, code, message, hint }: Refusal): HttpRefusal {
    const headers = {
      ...(status === 401 ? { 'WWW-Authenticate': this.#options.authenticator.challenge } : {}),
      ...(status === 503 || status === 429 ? { 'Retry-After': '1' } : {}),
    };
    return { status, headers, text: `${code}: ${message}. ${hint}\n` };
  }
}
