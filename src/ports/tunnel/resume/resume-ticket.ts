import { formatResumeField, parseResumeField } from '../../../wire/tunnel/resume-header.ts';

/**
 * The token of a client that is good at all nodes of a cluster; one object for all destinations of a port. It is sent to
 * destinations that were not dialled yet, too: they get the credentials of the port as well, and a token is of no use
 * without them.
 */
export class RoamingToken {
  #token: string | undefined;

  get token(): string | undefined {
    return this.#token;
  }

  renew(token: string): void {
    this.#token = token;
  }
}

/**
 * A client's token for one destination, by which it resumes its port there. The
 * token is a secret, so it is in a private field: a log record of an object with
 * a ticket does not show it.
 */
export class ResumeTicket {
  readonly #roaming: RoamingToken | undefined;
  #token: string | undefined;
  #isRoaming = false;

  /** @param roaming the token that destinations in a cluster share; default: tokens are for this destination only */
  constructor(roaming?: RoamingToken) {
    this.#roaming = roaming;
  }

  /** The header field to dial with: the last token, or a request for one. A failed attempt leaves it valid. */
  get field(): string {
    return formatResumeField(this.#token ?? this.#roaming?.token);
  }

  /**
   * Takes the fields of a successful handshake's response.
   * @param field undefined: the server keeps no port
   * @param isRoaming whether the token is good at other nodes of the server's cluster, too
   */
  renew(field: string | undefined, isRoaming: boolean = false): void {
    const token = field === undefined ? undefined : parseResumeField(field)?.token;
    const isShared = isRoaming && this.#roaming !== undefined && token !== undefined;
    if (isShared) this.#roaming.renew(token);
    this.#token = isShared ? undefined : token;
    this.#isRoaming = isShared;
  }

  /** Whether the last server keeps the port for all nodes of its cluster. */
  get isRoaming(): boolean {
    return this.#isRoaming;
  }
}
