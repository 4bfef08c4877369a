import { nativeAddon } from '../src/native/addon.ts';
import { Lab, LabUnavailable } from '../test/support/namespaces.ts';
import { missingTapDevice, missingTools } from '../test/support/tools.ts';
import type { Narrator } from './narrator.ts';

/**
 * Makes a laboratory with TAP devices.
 * @param tools programs that it needs besides
 * @throws LabUnavailable, or EtherwsError ADDON_MISSING
 */
export function openDemoLab(...tools: readonly string[]): Promise<Lab> {
  const missing = missingTapDevice() || missingTools(...tools);
  if (missing !== false) throw new LabUnavailable(missing);
  nativeAddon();
  return Lab.open();
}

/** Runs a demo, and closes its laboratory in any state: that ends all programs on its hosts. */
export async function runDemo(
  narrator: Narrator,
  main: () => Promise<void>,
  labOf: () => Lab | undefined,
): Promise<void> {
  const cleanUp = async (): Promise<void> => labOf()?.close();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      narrator.failed(`${signal}: cleaning up`);
      void cleanUp().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
    });
  }
  // A reader may stop early (`npm run demo | head`).
  process.stdout.on('error', () => void cleanUp().then(() => process.exit(1)));
  try {
    await main();
  } catch (error) {
    narrator.failed(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    await cleanUp();
  }
}
