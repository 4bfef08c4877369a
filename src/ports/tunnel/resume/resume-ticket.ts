import { formatResumeField, parseResumeField } from '../../../wire/tunnel/resume-header.ts';

/**
 * A client's token for one destination, by which it resumes its port there. The
 * token is a secret, so it is in a private field: a log record of an object with
 * a ticket does not show it.
 */
export class ResumeTicket {
  #token: string | undefined;

  /** The header field to dial with: the last token, or a request for one. A failed attempt leaves it valid. */
  get field(): string {
    return formatResumeField(this.#token);
  }

  /** Takes the field of a successful handshake's response. @param field undefined: the server keeps no port */
  renew(field: string | undefined): void {
    this.#token = field === undefined ? undefined : parseResumeField(field)?.token;
  }
}
