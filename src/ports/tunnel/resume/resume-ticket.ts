import { formatResumeField, parseResumeField } from '../../../wire/tunnel/resume-header.ts';

/**
 * What a client keeps to come back with, for one destination. The token is a
 * secret, and in a private field: logging an object that holds a ticket does
 * not show it.
 */
export class ResumeTicket {
  #token: string | undefined;

  /** The field to dial with: the last token, or that one is wanted. It stays valid behind a dialling that failed. */
  get field(): string {
    return formatResumeField(this.#token);
  }

  /** Takes what the answer to a good handshake says. @param field undefined: there is nothing to come back to */
  renew(field: string | undefined): void {
    this.#token = field === undefined ? undefined : parseResumeField(field)?.token;
  }
}
