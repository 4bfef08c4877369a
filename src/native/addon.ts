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
 * What native/ offers, a door a subject. Failures are Errors with the errno's name as `code` and
 * the failed call as `syscall`, except on the data path, which never throws for
 * what a device does.
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

/** The addon where it has been loaded; undefined: nothing of it is in use yet. */
export function loadedAddon(): NativeAddon | undefined {
  return loaded;
}

/**
 * Forwards frames that have come since the loop looked for them. To be called between pieces of work of which clients can
 * cause many in one turn of the loop. Where less than 0.2 ms has passed it costs as much as looking at the clock.
 */
export function pollNow(): void {
  // Without the addon nothing is watched, and nothing needs it.
  loaded?.pollNow();
}

function load(): NativeAddon {
  const file = fileURLToPath(new URL('../../../build/Release/etherws.node', import.meta.url));
  return (loadPrebuilt() ?? loadAddon(file)) as NativeAddon;
}
