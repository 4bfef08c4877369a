import { invalidOption } from './option-values.ts';

/** How users of this host reach the control API, and which of them it obeys without credentials. */
export interface LocalControl {
  /** where a Unix socket is made */
  readonly socketPath: string | undefined;
  /** whose members are obeyed, beside root and the switch's own user */
  readonly group: string | undefined;
  /** Every user of the host is obeyed, as by 1.x. */
  readonly isForAnybody: boolean;
  /** false: the Unix socket is the only way in */
  readonly hasTcp: boolean;
}

/** What was typed for it. */
export interface LocalControlOptions {
  readonly ctlsocket?: string;
  readonly ctlgroup?: string;
  readonly ctlAnybody?: boolean;
  readonly ctlTcp?: boolean;
}

/**
 * @param isOpen the control API asks for no credentials
 * @throws EtherwsError ARGUMENT_INVALID when options contradict each other
 */
export function readLocalControl(options: LocalControlOptions, isOpen: boolean): LocalControl {
  const { ctlsocket, ctlgroup, ctlAnybody = false, ctlTcp = true } = options;
  if (!ctlTcp && ctlsocket === undefined) {
    throw invalidOption('--no-ctl-tcp needs --ctlsocket, too', 'Otherwise nothing could control the switch');
  }
  if (ctlAnybody && !isOpen) {
    throw invalidOption('--ctl-anybody contradicts the options that ask for credentials', 'Give either');
  }
  if (ctlAnybody && (ctlgroup !== undefined || !ctlTcp)) {
    throw invalidOption(
      `--ctl-anybody contradicts ${ctlTcp ? '--ctlgroup' : '--no-ctl-tcp'}`,
      'It obeys every user of this host over TCP',
    );
  }
  return { socketPath: ctlsocket, group: ctlgroup, isForAnybody: ctlAnybody, hasTcp: ctlTcp };
}
