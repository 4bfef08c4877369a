import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { ADDON_HINT } from './offload-addon.ts';
import { missingTapDevice, missingTools } from './tools.ts';

const MARK = 'ETHERWS_TEST_NAMESPACE';

/**
 * Moves this test file into user and network namespaces of its own, where it is
 * root over devices that no other process sees, and that are gone when it ends. Call
 * it before any test: outside, it runs the file once more inside, passes its
 * results on, and ends.
 *
 * @returns inside: false. Where there are no such namespaces, or a tool is
 *   missing: why, for the `skip` of every test
 */
export function enterOwnNamespace(...tools: readonly string[]): string | false {
  if (process.env[MARK] !== undefined) {
    // Its own devices shall say nothing that no test has asked for.
    writeFileSync('/proc/sys/net/ipv6/conf/default/accept_dad', '0');
    writeFileSync('/proc/sys/net/ipv6/conf/default/router_solicitations', '0');
    return false;
  }
  const missing = missingTools('unshare', ...tools) || missingTapDevice();
  if (missing !== false) return missing;
  if (!existsSync('build/Release/etherws.node')) return ADDON_HINT;
  const isolated = ['--user', '--map-root-user', '--net', '--'];
  if (spawnSync('unshare', [...isolated, 'true']).status !== 0) {
    return 'needs user namespaces: sysctl kernel.unprivileged_userns_clone=1';
  }
  const inside = spawnSync('unshare', [...isolated, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, [MARK]: '1' },
    stdio: 'inherit',
  });
  process.exit(inside.status ?? 1);
}
