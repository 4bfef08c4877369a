import type { BridgeId } from './bridge-id.ts';
import { TICKS_PER_SECOND } from './decode.ts';

/**
 * What the nodes of a cluster tell each other of the spanning tree of a network, of which all are one bridge. It travels
 * between them only, never on a LAN.
 *
 * | octets | field |
 * |---|---|
 * | 1 | version, 1 |
 * | 1 | flags |
 * | 4 | boot: random at each start of the sender's tree |
 * | 4 | version of the report: grows when a field changes that the receiver must answer |
 * | 4 + 4 | answered: boot and version of the receiver's last report that is in the sender's roles; zeros: none |
 * | 8 + 4 × 2 | identifier and times of the sender's bridge, as its settings say |
 * | 4 | demands to synchronize (setSyncTree) |
 * | 4 | demands to reroot (setReRootTree) |
 * | 4 | topology changes to propagate (setTcPropTree) |
 * | 8 + 4 + 8 + 2 + 2 | the root priority vector that the sender has selected, and the identifier of the port that has it |
 * | 8 + 4 + 8 + 2 | the best root path priority vector of the sender's ports |
 * | 2 + 4 | identifier and number of the port that has this one |
 * | 4 × 2 | times of the message that brought it |
 *
 * The last three rows are zeros without the flag ROOT. Times are in units of 1/256 s, as in BPDUs. A later version may
 * have more octets.
 */
export interface TreeReport {
  readonly boot: number;
  readonly version: number;
  readonly answeredBoot: number;
  readonly answeredVersion: number;
  readonly bridgeId: BridgeId;
  readonly bridgeTimes: ReportedTimes;
  readonly syncs: number;
  readonly reRoots: number;
  readonly changes: number;
  /** All ports but a root port are synchronized (allSynced, IEEE 802.1D-2004, 17.20.3). */
  readonly isSynced: boolean;
  /** No port was a root port lately (reRooted, 17.20.10). */
  readonly isReRooted: boolean;
  /** What the sender has selected of all nodes: its own bridge, or the vector of a root port. */
  readonly selected: SelectedRoot;
  readonly root: ReportedRoot | undefined;
}

/** A root priority vector, with the identifier of the port that has it; 0: the bridge is the root. */
export interface SelectedRoot {
  readonly path: ReportedPath;
  readonly portId: number;
}

interface ReportedPath {
  readonly rootId: BridgeId;
  readonly rootPathCost: number;
  readonly bridgeId: BridgeId;
  readonly portId: number;
}

/** A root path priority vector (17.5): the cost of the receiving port is added. */
export interface ReportedRoot extends SelectedRoot {
  /** its number at its node */
  readonly port: number;
  readonly times: ReportedTimes;
}

interface ReportedTimes {
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

const VERSION = 1;
const FLAG_SYNCED = 0x01;
const FLAG_REROOTED = 0x02;
const FLAG_ROOT = 0x04;
const BRIDGE = 18;
const COUNTS = BRIDGE + 16;
const PATH_BYTES = 24;
const SELECTED = COUNTS + 12;
const ROOT = SELECTED + PATH_BYTES;
const PORT = ROOT + PATH_BYTES;
export const TREE_REPORT_BYTES = PORT + 12;

export function encodeTreeReport(report: TreeReport): Uint8Array {
  const bytes = new Uint8Array(TREE_REPORT_BYTES);
  const view = new DataView(bytes.buffer);
  const { root } = report;
  view.setUint8(0, VERSION);
  const flags = [report.isSynced && FLAG_SYNCED, report.isReRooted && FLAG_REROOTED, root !== undefined && FLAG_ROOT];
  view.setUint8(
    1,
    flags.reduce<number>((all, flag) => all | Number(flag), 0),
  );
  const { boot, version, answeredBoot, answeredVersion } = report;
  for (const [index, value] of [boot, version, answeredBoot, answeredVersion].entries()) {
    view.setUint32(2 + 4 * index, value);
  }
  view.setBigUint64(BRIDGE, report.bridgeId);
  writeTimes(view, BRIDGE + 8, report.bridgeTimes);
  view.setUint32(COUNTS, report.syncs);
  view.setUint32(COUNTS + 4, report.reRoots);
  view.setUint32(COUNTS + 8, report.changes);
  writeSelected(view, SELECTED, report.selected);
  if (root === undefined) return bytes;
  writeSelected(view, ROOT, root);
  view.setUint32(PORT, root.port);
  writeTimes(view, PORT + 4, root.times);
  return bytes;
}

/** @returns undefined for octets that are no report of a known version */
export function decodeTreeReport(bytes: Uint8Array): TreeReport | undefined {
  if (bytes.length < TREE_REPORT_BYTES || bytes[0] !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(1);
  return {
    boot: view.getUint32(2),
    version: view.getUint32(6),
    answeredBoot: view.getUint32(10),
    answeredVersion: view.getUint32(14),
    bridgeId: view.getBigUint64(BRIDGE) as BridgeId,
    bridgeTimes: readTimes(view, BRIDGE + 8),
    syncs: view.getUint32(COUNTS),
    reRoots: view.getUint32(COUNTS + 4),
    changes: view.getUint32(COUNTS + 8),
    isSynced: (flags & FLAG_SYNCED) !== 0,
    isReRooted: (flags & FLAG_REROOTED) !== 0,
    selected: readSelected(view, SELECTED),
    root:
      (flags & FLAG_ROOT) === 0
        ? undefined
        : { ...readSelected(view, ROOT), port: view.getUint32(PORT), times: readTimes(view, PORT + 4) },
  };
}

function writeSelected(view: DataView, at: number, { path, portId }: SelectedRoot): void {
  view.setBigUint64(at, path.rootId);
  view.setUint32(at + 8, path.rootPathCost);
  view.setBigUint64(at + 12, path.bridgeId);
  view.setUint16(at + 20, path.portId);
  view.setUint16(at + 22, portId);
}

function readSelected(view: DataView, at: number): SelectedRoot {
  return {
    path: {
      rootId: view.getBigUint64(at) as BridgeId,
      rootPathCost: view.getUint32(at + 8),
      bridgeId: view.getBigUint64(at + 12) as BridgeId,
      portId: view.getUint16(at + 20),
    },
    portId: view.getUint16(at + 22),
  };
}

function writeTimes(view: DataView, at: number, times: ReportedTimes): void {
  const { messageAge, maxAge, helloTime, forwardDelay } = times;
  for (const [index, seconds] of [messageAge, maxAge, helloTime, forwardDelay].entries()) {
    view.setUint16(at + 2 * index, Math.min(Math.round(seconds * TICKS_PER_SECOND), 0xffff));
  }
}

function readTimes(view: DataView, at: number): ReportedTimes {
  const seconds = (index: number) => view.getUint16(at + 2 * index) / TICKS_PER_SECOND;
  return { messageAge: seconds(0), maxAge: seconds(1), helloTime: seconds(2), forwardDelay: seconds(3) };
}
