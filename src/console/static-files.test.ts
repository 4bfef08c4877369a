import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { listen } from '../../test/support/web-socket-peer.ts';
import { StaticFiles } from './static-files.ts';

const SCRIPT = `export const text = '${'a'.repeat(1000)}';\n`;

function page(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-static-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const folder of ['assets', 'src']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(directory, 'notes.xyz'), 'no');
  writeFileSync(join(directory, 'src', 'secret.js'), 'no');
  writeFileSync(join(directory, 'assets', 'index-AbCd1234.js'), SCRIPT);
  writeFileSync(join(directory, 'assets', 'index-AbCd1234.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(directory, 'assets', 'index-AbCd1234.js.br'), 'brotli');
  return directory;
}

async function served(t: TestContext, files: StaticFiles): Promise<string> {
  const server = createServer((request, response) => {
    files.serve((request.url ?? '').slice(1), request, response).then(
      (isThere) => isThere || response.writeHead(404).end(),
      () => response.destroy(),
    );
  });
  t.after(() => server.close());
  return `http://127.0.0.1:${await listen(server)}/`;
}

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, { method, headers: { 'Accept-Encoding': 'identity', ...headers } });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, body, header: (name: string) => response.headers.get(name) };
}

describe('StaticFiles', () => {
  test('serves the page and its assets, and nothing else', async (t) => {
    const url = await served(t, new StaticFiles(page(t)));
    const index = await get(url);
    assert.deepEqual([index.status, index.header('content-type')], [200, 'text/html; charset=utf-8']);
    assert.equal(index.header('cache-control'), 'no-cache');
    assert.equal((await get(`${url}index.html`)).status, 200);
    const script = await get(`${url}assets/index-AbCd1234.js`);
    assert.equal(script.body.toString(), SCRIPT);
    assert.equal(script.header('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(script.header('cache-control'), 'public, max-age=31536000, immutable');
    for (const path of ['src/secret.js', 'notes.xyz', 'assets/index-AbCd1234.js.gz', 'assets', 'assets/']) {
      assert.equal((await get(url + path)).status, 404, path);
    }
  });

  test('the coding is one that the browser takes', async (t) => {
    const url = `${await served(t, new StaticFiles(page(t)))}assets/index-AbCd1234.js`;
    for (const [field, coding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['*', 'br'],
      ['identity', null],
      ['deflate', null],
      ['br;q=x', null],
    ] as const) {
      // HEAD, since fetch would decode the made-up brotli.
      const head = await get(url, { 'Accept-Encoding': field }, 'HEAD');
      assert.deepEqual([head.header('content-encoding'), head.header('vary')], [coding, 'Accept-Encoding'], field);
    }
    assert.equal((await get(url, { 'Accept-Encoding': 'gzip' })).body.toString(), SCRIPT, 'fetch decodes it');
  });

  test('a browser that has it gets 304; each variant has its own tag', async (t) => {
    const url = `${await served(t, new StaticFiles(page(t)))}assets/index-AbCd1234.js`;
    const [plain, gzip] = [await get(url), await get(url, { 'Accept-Encoding': 'gzip' })];
    const etag = plain.header('etag') ?? '';
    assert.notEqual(etag, gzip.header('etag'));
    for (const tag of [etag, `"x", W/${etag}`]) {
      const again = await get(url, { 'If-None-Match': tag });
      assert.deepEqual([again.status, again.body.length, again.header('etag')], [304, 0, etag], tag);
    }
    assert.equal((await get(url, { 'If-None-Match': '"x"' })).status, 200);
  });

  test('a page that is built later is found', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-static-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const files = new StaticFiles(join(directory, 'console'));
    const url = await served(t, files);
    assert.equal((await get(url)).status, 404);
    assert.equal(await files.areThere(), false);
    mkdirSync(join(directory, 'console'));
    writeFileSync(join(directory, 'console', 'index.html'), 'built');
    assert.equal((await get(url)).body.toString(), 'built');
  });
});
