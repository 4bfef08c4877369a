import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResumeField } from '../../wire/resume-header.ts';
import type { SwitchField } from '../../wire/switch-header.ts';
import type { Wire } from './packing.ts';
import type { ResumableTunnel } from './resumable-tunnels.ts';
import type { Acquaintance } from './switch-instance.ts';
import type { TunnelPlace } from './tunnel-places.ts';

/** A client whose opening handshake is under way. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: string;
  readonly wire: Wire;
  /** what he says of coming back; undefined when that is not to be */
  readonly resume: ResumeField | undefined;
  /** which switch he says he is; undefined when he does not */
  readonly says: SwitchField | undefined;
  readonly place: TunnelPlace;
}

/** What a client was let in to. */
export interface Admitted {
  /** null when nobody was asked */
  readonly user: string | null;
  /** when that ends, by the system's clock; undefined: not at all */
  readonly untilMs: number | undefined;
  /** by which he can come back; undefined when he cannot */
  readonly token: string | undefined;
  /** the port that he has come back to */
  readonly resumed: ResumableTunnel | undefined;
  /** what is known of his switch and the tunnel to it */
  readonly acquaintance: Acquaintance | undefined;
}
