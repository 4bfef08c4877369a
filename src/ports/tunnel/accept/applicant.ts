import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResumeField } from '../../../wire/tunnel/resume-header.ts';
import type { SwitchField } from '../../../wire/tunnel/switch-header.ts';
import type { Wire } from '../../stream/packing.ts';
import type { ResumableTunnel } from '../resume/resumable-tunnels.ts';
import type { TunnelPlace } from '../resume/tunnel-places.ts';
import type { Acquaintance } from '../switch-instance.ts';

/** A client whose opening handshake is in progress. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: string;
  readonly wire: Wire;
  /** its resumption field; undefined when resumption is off, or the client sent none */
  readonly resume: ResumeField | undefined;
  /** its Etherws-Switch field; undefined when the client sent none */
  readonly says: SwitchField | undefined;
  /** the segment of the URL behind the path of the service; undefined without one */
  readonly asked: string | undefined;
  readonly place: TunnelPlace;
}

/** The result of an accepted handshake. */
export interface Admitted {
  /** null when the service requires no credentials */
  readonly user: string | null;
  /** when the admission expires, in milliseconds since 1970; undefined: never */
  readonly untilMs: number | undefined;
  /** the token by which the client can resume the port; undefined when it cannot */
  readonly token: string | undefined;
  /** the proof of the service for this client; undefined: it gives none */
  readonly answer: string | undefined;
  /** the network that the tunnel joins */
  readonly network: string;
  /** the port that the client resumes */
  readonly resumed: ResumableTunnel | undefined;
  /** the facts about its switch and the tunnel, exchanged in the handshake */
  readonly acquaintance: Acquaintance | undefined;
}
