import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The variables of a desktop session. */
export interface DesktopEnvironment {
  readonly DISPLAY?: string | undefined;
  readonly WAYLAND_DISPLAY?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
}

const FILE = 'etherws-console.html';

/**
 * Opens a page in the browser of the desktop session, if there is one. The address has a login, and other users can read
 * the command lines of processes: so the browser gets a file that leads there and that only this user can read.
 * @returns whether a program was started for it
 */
export async function openPage(url: string, environment: DesktopEnvironment): Promise<boolean> {
  const isMac = process.platform === 'darwin';
  const hasDesktop = isMac || (environment.DISPLAY ?? environment.WAYLAND_DISPLAY ?? '') !== '';
  // The directories of a user's own session: no other user can plant a file there.
  const directory = isMac ? tmpdir() : (environment.XDG_RUNTIME_DIR ?? '');
  if (!hasDesktop || directory === '') return false;
  const file = join(directory, FILE);
  const page = `<!doctype html><meta charset="utf-8"><title>etherws</title><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${escapeAttribute(url)}">\n`;
  try {
    await writeFile(file, page, { mode: 0o600 });
  } catch {
    return false;
  }
  const program = spawn(isMac ? 'open' : 'xdg-open', [pathToFileURL(file).href], { detached: true, stdio: 'ignore' });
  program.unref();
  return new Promise((resolve) => {
    program.once('spawn', () => resolve(true)).once('error', () => resolve(false));
  });
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
