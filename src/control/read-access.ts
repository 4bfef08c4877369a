import type { IncomingMessage } from 'node:http';
import type { Refusal as HttpRefusal } from '../net/http-refusal.ts';
import { CallerCheck, type CallerCheckOptions } from './caller-check.ts';
import { type Refusal, refuseOrigin } from './request-guard.ts';
import type { MethodName } from './schema.ts';

export interface ReadAccessOptions extends CallerCheckOptions {
  /** as `ControlServerOptions.allowedHosts` */
  readonly allowedHosts: () => readonly string[];
  /** as `ControlServerOptions.mayCall` */
  readonly mayCall?: ((user: string | null, method: MethodName) => boolean) | undefined;
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
    const { allowedHosts, mayCall, counters } = this.#options;
    const caller = refuseOrigin(request, allowedHosts()) ?? (await this.#callers.check(request));
    if ('status' in caller) return this.#asPage(caller);
    if (mayCall?.(caller.user, method) ?? true) return undefined;
    counters.forbidden++;
    const message = `This page is for users that may call ${method}`;
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
