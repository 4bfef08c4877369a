/** The settings of a spanning tree bridge (IEEE 802.1D-2004, table 17-1, table 17-2). Times are in seconds. */
export interface SpanningTreeSettings {
  /** 0 to 61440 in steps of 4096; the lowest bridge becomes the root. Default 32768. */
  readonly priority: number;
  /** 1 or 2. Default 2. */
  readonly helloTime: number;
  /** 6 to 40. Default 20. */
  readonly maxAge: number;
  /** 4 to 30. Default 15. */
  readonly forwardDelay: number;
}

export const DEFAULT_SETTINGS: SpanningTreeSettings = { priority: 32_768, helloTime: 2, maxAge: 20, forwardDelay: 15 };

/** The relation that the times must have (17.14). @returns what is wrong with them; undefined: nothing */
export function wrongTimes({ helloTime, maxAge, forwardDelay }: SpanningTreeSettings): string | undefined {
  if (2 * (forwardDelay - 1) < maxAge) return `max-age ${maxAge} is above 2 × (forward-delay ${forwardDelay} − 1)`;
  if (maxAge < 2 * (helloTime + 1)) return `max-age ${maxAge} is below 2 × (hello-time ${helloTime} + 1)`;
  return undefined;
}

/** The settings of a port that are independent of its kind. */
export interface PortGuards {
  /** 0 to 240 in steps of 16. Default 128. */
  readonly priority: number;
  /** `on`: no bridge is behind the port; `auto`: none is while no BPDU is heard (17.13.1, 17.13.3). */
  readonly edge: 'auto' | 'on' | 'off';
  /** Whether the port leads to one other bridge at most (adminPointToPointMAC, 6.4.3). */
  readonly isPointToPoint: boolean;
  /** A BPDU disables the port, until its link goes down, or the guard is taken away. */
  readonly hasBpduGuard: boolean;
  /** The port does not become the root port (restrictedRole of IEEE 802.1Q-2022, 13.27.65). */
  readonly hasRootGuard: boolean;
  /** No BPDU is sent, and each that is received is discarded. */
  readonly hasBpduFilter: boolean;
}

/** The settings of a port of a spanning tree bridge. */
export interface SpanningTreePortSettings extends PortGuards {
  /** 1 to 200 000 000 (table 17-3) */
  readonly pathCost: number;
}

/** The settings of a port as an operator gives them. */
export interface AdminPortSettings extends PortGuards {
  /** `auto`: by the kind of the port, and the round trip of a tunnel */
  readonly pathCost: 'auto' | number;
}

export const DEFAULT_ADMIN_SETTINGS: AdminPortSettings = {
  pathCost: 'auto',
  priority: 128,
  edge: 'auto',
  isPointToPoint: true,
  hasBpduGuard: false,
  hasRootGuard: false,
  hasBpduFilter: false,
};

export const DEFAULT_PORT_SETTINGS: SpanningTreePortSettings = { ...DEFAULT_ADMIN_SETTINGS, pathCost: 20_000 };
