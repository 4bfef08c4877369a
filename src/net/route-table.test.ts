import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Route, RouteTable } from './route-table.ts';

const page: Route = { handleRequest: () => undefined };
const tunnels: Route = { ...page, handleUpgrade: () => undefined };
const control: Route = { ...page, handleUpgrade: () => undefined };

test('a path, the paths below it, and trees: which route a request and an upgrade get', () => {
  const table = new RouteTable();
  table.set('/', tunnels, 'tunnel');
  table.setBelow('/', tunnels);
  table.set('/page', page, 'control');
  table.set('/x/rpc', control, 'control');
  table.setBelow('/x/', tunnels);
  table.setTree('/console/', control);
  table.set('/console/own', page, 'control');
  const asTunnel = { route: tunnels, use: 'tunnel' };
  const asControl = { route: control, use: 'control' };
  const none = { route: undefined, use: 'tunnel' };
  for (const [path, forRequest, forUpgrade] of [
    ['/', tunnels, asTunnel],
    ['/lab', undefined, asTunnel],
    ['/lab/deep', undefined, none],
    ['/page', page, asTunnel],
    ['/x/rpc', control, asControl],
    ['/x/lab', undefined, asTunnel],
    ['/console/', control, asControl],
    ['/console/any/where', control, asControl],
    ['/console/own', page, asControl],
    ['/console', undefined, asTunnel],
    ['', undefined, none],
  ] as const) {
    assert.equal(table.of(path), forRequest, `a request for ${path}`);
    const { route, use } = table.ofUpgrade(path);
    assert.deepEqual({ route, use }, forUpgrade, `an upgrade for ${path}`);
  }
  assert.deepEqual([table.has('/page'), table.has('/console/'), table.has('/lab')], [true, false, false]);
});
