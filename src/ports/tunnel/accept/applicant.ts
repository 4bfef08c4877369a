import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResumeField } from '../../../wire/tunnel/resume-header.ts';
import type { SwitchField } from '../../../wire/tunnel/switch-header.ts';
import type { Wire } from '../../stream/packing.ts';
import type { ResumableTunnel } from '../resume/resumable-tunnels.ts';
import type { TunnelPlace } from '../resume/tunnel-places.ts';
import type { Acquaintance } from '../switch-instance.ts';

/** A client whose opening handshake is under way. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: string;
  readonly wire: Wire;
  /** its resumption field; undefined where resumption is off, or the client did not send one */
  readonly resume: ResumeField | undefined;
  /** which switch it says that it is; undefined when it does not */
  readonly says: SwitchField | undefined;
  readonly place: TunnelPlace;
}

/** What a client was let in to. */
export interface Admitted {
  /** null where the service asks for no credentials */
  readonly user: string | null;
  /** when that ends, by the system's clock; undefined: not at all */
  readonly untilMs: number | undefined;
  /** the token by which the client can resume the port; undefined when it cannot */
  readonly token: string | undefined;
  /** the port that it has resumed */
  readonly resumed: ResumableTunnel | undefined;
  /** what is known of its switch and the tunnel to it */
  readonly acquaintance: Acquaintance | undefined;
}
