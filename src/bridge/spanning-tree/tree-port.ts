import { DEFAULT_PORT_SETTINGS, type SpanningTreePortSettings } from './settings.ts';
import { type PortState, PortVariables } from './variables.ts';

const PRIORITY_SHIFT = 8;

/** How many BPDUs of each type a port has sent or received, and how many received ones it has discarded. */
export interface BpduCounters {
  config: number;
  rst: number;
  tcn: number;
}

/** A port of the spanning tree: the variables of its state machines, its settings, and its counters. */
export class TreePort extends PortVariables {
  settings: SpanningTreePortSettings = DEFAULT_PORT_SETTINGS;
  /** Whether the port's link is up and it is not shut. */
  isUp = false;
  /** Whether the BPDU guard has disabled the port. */
  isGuardTripped = false;
  /** The state that the bridge was told. */
  toldState: PortState | undefined;
  readonly received: BpduCounters = { config: 0, rst: 0, tcn: 0 };
  readonly transmitted: BpduCounters = { config: 0, rst: 0, tcn: 0 };
  /** How many BPDUs it has taken in this second. */
  heard = 0;
  /** Received BPDUs that were malformed, filtered, too many, or came while the port was disabled. */
  discarded = 0;

  /** Takes over settings. What depends on the tree is selected anew. */
  configure(settings: SpanningTreePortSettings): void {
    const { edge: formerEdge, hasBpduGuard: hadGuard } = this.settings;
    this.settings = settings;
    const portId = (settings.priority << PRIORITY_SHIFT) | (this.stpNumber ?? 0);
    if (
      portId !== this.portId ||
      settings.pathCost !== this.portPathCost ||
      settings.hasRootGuard !== this.restrictedRole
    ) {
      this.portId = portId;
      this.portPathCost = settings.pathCost;
      this.restrictedRole = settings.hasRootGuard;
      this.askReselect();
    }
    this.operPointToPointMac = settings.isPointToPoint;
    this.adminEdge = settings.edge === 'on';
    this.autoEdge = settings.edge === 'auto';
    // The standard's state machine looks at adminEdge only while the port is disabled (17.25); a change works at once.
    if (settings.edge !== formerEdge && this.portEnabled) {
      if (settings.edge === 'off') this.operEdge = false;
      else if (settings.edge === 'on' && this.infoIs !== 'received') this.operEdge = true;
    }
    if (hadGuard && !settings.hasBpduGuard) this.isGuardTripped = false;
    this.updateEnabled();
  }

  setUp(isUp: boolean): void {
    this.isUp = isUp;
    if (!isUp) this.isGuardTripped = false;
    this.updateEnabled();
  }

  tripGuard(): void {
    this.isGuardTripped = true;
    this.updateEnabled();
  }

  /** Gives the port another number in its identifier. Without one it is disabled. */
  renumber(stpNumber: number | undefined): void {
    this.stpNumber = stpNumber;
    this.configure(this.settings);
  }

  private updateEnabled(): void {
    this.portEnabled = this.isUp && !this.isGuardTripped && this.stpNumber !== undefined;
  }
}
