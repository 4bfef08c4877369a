import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { SwitchProcess } from './switch-process.ts';
import { PATIENCE_MS } from './waits.ts';
import { openBrowser } from './web-browser.ts';

export interface ConsolePageOptions extends BrowserContextOptions {
  /** the address of the page without its hash; default: that of the switch on the loopback */
  readonly url?: string;
  /** where in the console, such as `#/ports`; default: its first view */
  readonly hash?: string;
}

/** What Chromium says of a violation of the content security policy, trusted types included. */
const VIOLATION = /Content Security Policy|Trusted ?(Types|HTML|Script)/i;

/**
 * The console in Debian's Chromium. It collects violations of the content security policy and errors of scripts: the test fails
 * at its end if there were any.
 */
export class ConsolePage {
  readonly page: Page;
  readonly violations: string[] = [];
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (VIOLATION.test(message.text())) this.violations.push(message.text());
    });
    // An error of the browser itself, such as of a module that did not come, has an empty stack.
    page.on('pageerror', ({ stack, name, message }) => void this.errors.push(stack || `${name}: ${message}`));
  }

  /** Opens the console of a switch. Without Chromium the test is marked as skipped and must return. */
  static async open(
    t: TestContext,
    controlPort: number,
    { url = `http://127.0.0.1:${controlPort}/console/`, hash = '', ...context }: ConsolePageOptions = {},
  ): Promise<ConsolePage | undefined> {
    const browser = await openBrowser(t);
    if (browser === undefined) return undefined;
    const opened = await ConsolePage.inBrowser(browser, `${url}${hash}`, context);
    t.after(() => opened.assertClean());
    return opened;
  }

  /** As `open`, in a browser that is there, and without the check at the end: see `assertClean`. */
  static async inBrowser(browser: Browser, url: string, context: BrowserContextOptions = {}): Promise<ConsolePage> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...context });
    const opened = new ConsolePage(page);
    await page.goto(url);
    return opened;
  }

  assertClean(): void {
    assert.deepEqual(this.violations, [], 'violations of the content security policy');
    assert.deepEqual(this.errors, [], 'errors of scripts');
  }

  /** Waits until the page is live: logged in, and its WebSocket is open. */
  async live(): Promise<this> {
    await this.page.locator('.connection[data-state="open"]').waitFor();
    return this;
  }

  /** Goes to a view, by its route. */
  async goTo(hash: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }
}

/** A switch with these options of `etherws sw`, and its console. Without Chromium the test is marked as skipped and must return. */
export async function openConsole(
  t: TestContext,
  options: readonly string[] = [],
  page: ConsolePageOptions = {},
): Promise<{ readonly sw: SwitchProcess; readonly console: ConsolePage; readonly page: Page } | undefined> {
  const sw = await SwitchProcess.start(t, options);
  const opened = await ConsolePage.open(t, sw.controlPort, page);
  return opened === undefined ? undefined : { sw, console: opened, page: opened.page };
}
