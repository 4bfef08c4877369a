import type { TestContext } from 'node:test';
import { Lab, LabUnavailable } from './namespaces.ts';
import { missingTapDevice, missingTools } from './tools.ts';

/**
 * A laboratory that is closed when the test ends. If it or one of `tools` is
 * unavailable, the test is marked as skipped with the reason and must return.
 */
export async function openLab(t: TestContext, ...tools: readonly string[]): Promise<Lab | undefined> {
  const missing = missingTools(...tools);
  if (missing !== false) {
    t.skip(missing);
    return undefined;
  }
  try {
    const lab = await Lab.open();
    t.after(() => lab.close());
    return lab;
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

/** As `openLab`, for tests whose hosts need TAP devices. */
export async function openTapLab(t: TestContext, ...tools: readonly string[]): Promise<Lab | undefined> {
  const missing = missingTapDevice();
  if (missing === false) return openLab(t, ...tools);
  t.skip(missing);
  return undefined;
}
