import { fileURLToPath } from 'node:url';
import type { OffloadAddon } from '../wire/offload/native-engine.ts';
import type { MessageCodec } from '../wire/websocket/message-codec.ts';
import type { DescriptorDoor } from './descriptors.ts';
import type { DeviceDoor } from './devices.ts';
import type { FlowDoor } from './flows.ts';
import type { LinkDoor } from './links.ts';
import { loadAddon, loadPrebuilt } from './load-addon.ts';
import type { ProcessDoor } from './process.ts';
import type { SocketDoor } from './sockets.ts';
import type { StreamDoor } from './streams.ts';
import type { TlsDoor } from './tls.ts';

/**
 * The interface of native/, one door for each subject. Failures are Errors with the errno's name
 * as `code` and the failed call as `syscall`, except on the data path, which does not throw for
 * failures of a device.
 */
export interface NativeAddon
  extends DescriptorDoor,
    DeviceDoor,
    StreamDoor,
    FlowDoor,
    TlsDoor,
    LinkDoor,
    SocketDoor,
    ProcessDoor,
    OffloadAddon,
    MessageCodec {}

let loaded: NativeAddon | undefined;

/** Loads the addon on first use. @throws EtherwsError ADDON_MISSING */
export function nativeAddon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

/** The addon, if it is loaded already; undefined: no code uses it yet. */
export function loadedAddon(): NativeAddon | undefined {
  return loaded;
}

/**
 * Forwards frames that have arrived since the last poll of the loop. To be called between tasks of which clients can
 * cause many in one turn of the loop. Within 0.2 ms of the last poll it costs one reading of the clock.
 */
export function pollNow(): void {
  // Without the addon there are no native descriptors to poll.
  loaded?.pollNow();
}

function load(): NativeAddon {
  const file = fileURLToPath(new URL('../../../build/Release/etherws.node', import.meta.url));
  return (loadPrebuilt() ?? loadAddon(file)) as NativeAddon;
}
