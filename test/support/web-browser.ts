import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { missingTools, pathOf } from './tools.ts';
import { PATIENCE_MS, within } from './waits.ts';
import { listen } from './web-socket-peer.ts';

/** A foreign name that resolves to this host, as in DNS rebinding. */
export const REBOUND = 'evil.test';

/**
 * Debian's Chromium, without a window. It resolves `REBOUND` to 127.0.0.1. Without
 * Chromium the test is marked as skipped and must return.
 */
export async function openBrowser(t: TestContext): Promise<Browser | undefined> {
  const executablePath = pathOf('chromium');
  if (executablePath === undefined) {
    t.skip(missingTools('chromium') || 'needs chromium');
    return undefined;
  }
  const args = [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`, '--no-proxy-server'];
  const browser = await chromium.launch({ executablePath, args, timeout: PATIENCE_MS });
  t.after(() => browser.close());
  return browser;
}

/** A web site with one empty page. @returns its port */
export async function openSite(t: TestContext): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>a site</title>');
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return listen(server);
}

/** The result of a page's attempt to open a tunnel. */
export interface Attempt {
  readonly isOpen: boolean;
  /** the negotiated extensions */
  readonly extensions: string;
  /** the messages of the browser's console */
  readonly said: string;
}

/** Has the page open a tunnel and send one frame by it; the tunnel stays open. */
export async function openTunnelIn(page: Page, url: string, frame: Uint8Array): Promise<Attempt> {
  const said: string[] = [];
  page.on('console', (message) => void said.push(message.text()));
  // A reference in the page, since garbage collection would close the tunnel.
  const attempt = page.evaluate<Omit<Attempt, 'said'>>(`new Promise((resolve) => {
    const tunnel = globalThis.tunnel = new WebSocket(${JSON.stringify(url)});
    tunnel.onerror = () => resolve({ isOpen: false, extensions: '' });
    tunnel.onopen = () => {
      tunnel.send(new Uint8Array(${JSON.stringify([...frame])}));
      resolve({ isOpen: true, extensions: tunnel.extensions });
    };
  })`);
  return { ...(await within(attempt, `open or refused tunnel of a page to ${url}`)), said: said.join('\n') };
}

/**
 * Sends the text once by each way in which a page can send text to another origin
 * without an action of the user.
 * @returns the part of each response that the page can read, by way
 */
export function sendFromPage(page: Page, url: string, body: string): Promise<Readonly<Record<string, string>>> {
  const seen = page.evaluate<Record<string, string>>(`(async () => {
    const url = ${JSON.stringify(url)};
    const body = ${JSON.stringify(body)};
    const json = { 'Content-Type': 'application/json' };
    const plain = { 'Content-Type': 'text/plain' };
    const ways = {
      'a simple request': () => fetch(url, { method: 'POST', headers: plain, body }),
      'a request with a preflight': () => fetch(url, { method: 'POST', headers: json, body }),
      'no-cors': () => fetch(url, { method: 'POST', mode: 'no-cors', headers: plain, body }),
      'no-cors, as JSON': () => fetch(url, { method: 'POST', mode: 'no-cors', headers: json, body }),
      'with credentials': () => fetch(url, { method: 'POST', credentials: 'include', headers: plain, body }),
      'GET': () => fetch(url + '?' + encodeURIComponent(body)),
    };
    const seen = {};
    for (const [way, send] of Object.entries(ways)) {
      try {
        const response = await send();
        seen[way] = await response.text();
      } catch (error) {
        seen[way] = '';
      }
    }
    navigator.sendBeacon(url, new Blob([body], { type: 'text/plain' }));
    navigator.sendBeacon(url, new Blob([body], { type: 'application/json' }));
    const frame = document.createElement('iframe');
    frame.name = 'answer';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: url, enctype: 'text/plain', target: 'answer' });
    const field = document.createElement('input');
    // As text/plain a field is sent as NAME=VALUE: together they are JSON again.
    const [front, back] = body.split('=');
    Object.assign(field, { name: front, value: back });
    form.append(field);
    document.body.append(form);
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    form.submit();
    await loaded;
    try {
      seen['a form'] = frame.contentDocument.body.innerText;
    } catch {
      seen['a form'] = '';
    }
    return seen;
  })()`);
  return within(seen, `answers to what a page sends to ${url}`);
}
