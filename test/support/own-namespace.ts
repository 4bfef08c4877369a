import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { ADDON_HINT } from './offload-addon.ts';
import { missingTapDevice, missingTools } from './tools.ts';

const MARK = 'ETHERWS_TEST_NAMESPACE';

/**
 * Moves this test file into its own user and network namespaces, where it has all
 * rights over devices that no other process sees, and that end with it. To be called
 * before any test: outside of the namespaces it runs the file again inside, passes
 * its results on, and ends.
 *
 * @returns inside: false. Without such namespaces, or without a tool: the reason,
 *   for the `skip` of each test
 */
export function enterOwnNamespace(...tools: readonly string[]): string | false {
  if (process.env[MARK] !== undefined) {
    // Keeps the kernel from sending duplicate address detection and router solicitations on new devices.
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
