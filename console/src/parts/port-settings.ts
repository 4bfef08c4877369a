/** The settings of a bridge port in words, by their names in `setPort`. */
const WORDS: Readonly<Record<string, string>> = {
  isolated: 'Isolated from other isolated ports',
  multicastRouter: 'Multicast router behind it',
  fastLeave: 'Leaves groups at once',
  multicastLimit: 'Most multicast groups',
  multicastGroups: 'Static multicast groups',
  vlanMode: 'VLAN mode',
  pvid: 'VLAN without tags (PVID)',
  vlans: 'VLANs with tags',
  ethertype: 'Kind of tags',
  learning: 'Learns addresses',
  locked: 'Locked to its addresses',
  macLimit: 'Most addresses',
  macLimitAction: 'One address more',
  fdb: 'Static addresses',
  floodUnicast: 'Gets unknown unicast',
  floodMulticast: 'Gets multicast',
  floodBroadcast: 'Gets broadcast',
  storm: 'Storm control, frames/s',
  dhcpGuard: 'DHCP guard',
  raGuard: 'Router advertisement guard',
  dhcpTrusted: 'DHCP servers are believed',
  ipSourceGuard: 'IP source guard',
  ipBindings: 'Bound IP addresses',
  lldp: 'LLDP',
  mirrorTo: 'Mirror to',
  mirrorDir: 'Copied frames',
  mirrorVlans: 'Copied VLANs',
  pathCost: 'Path cost',
  portPriority: 'Priority of the port',
  edge: 'Edge port',
  pointToPoint: 'Point to point',
  bpduGuard: 'BPDU guard',
  rootGuard: 'Root guard',
  bpduFilter: 'BPDU filter',
};

/** The names of the settings with words. */
export const KNOWN_SETTINGS: readonly string[] = Object.keys(WORDS);

/** A newer switch may have settings that this page does not know. */
export function settingName(name: string): string {
  return Object.hasOwn(WORDS, name) ? (WORDS[name] as string) : name;
}

/** The value of a setting in words: `yes`, `none`, `a, b`; settings in a setting with their names. */
export function settingValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === '' || value === null || value === undefined) return 'none';
  if (typeof value !== 'object') return String(value);
  const parts = Array.isArray(value)
    ? value.map(settingValue)
    : Object.entries(value).map(([name, part]) => `${settingName(name)}: ${settingValue(part)}`);
  return parts.length === 0 ? 'none' : parts.join(Array.isArray(value) ? ', ' : '; ');
}
