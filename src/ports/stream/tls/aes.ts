import { type NativeAddon, nativeAddon } from '../../../native/addon.ts';

/** The library for AES-GCM of tunnels: `auto`, the fastest that there is; or `openssl`, Node's own. */
export type AesChoice = 'auto' | 'openssl';

/**
 * Chooses the library for AES-GCM of the tunnels that begin from now on.
 * @returns its name, in words; undefined where native code has no part in TLS, so that there is no choice
 */
export function chooseAes(choice: AesChoice, loadAddon: () => NativeAddon = nativeAddon): string | undefined {
  const version = offer(choice, loadAddon);
  if (version === undefined) return undefined;
  return version === null ? `OpenSSL ${process.versions.openssl}` : `ipsec-mb ${version}`;
}

function offer(choice: AesChoice, loadAddon: () => NativeAddon): string | null | undefined {
  try {
    return loadAddon().chooseAes?.(choice === 'auto');
  } catch {
    // Tunnels work without the addon, and TLS is Node's then.
    return undefined;
  }
}
