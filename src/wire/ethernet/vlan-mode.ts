/**
 * How a bridge port takes part in VLANs; the names are those of Open vSwitch (`vlan_mode`).
 *
 * - `transparent`: the port is not VLAN-aware. Frames pass unchanged, and a C-TAG selects the FID.
 * - `access`: one VLAN, without tags.
 * - `trunk`: VLANs with tags, and nothing else.
 * - `native`: as `trunk`, and the VLAN of the PVID without tags (`native-untagged`).
 */
export const VLAN_MODES = ['transparent', 'access', 'trunk', 'native'] as const;
export type VlanMode = (typeof VLAN_MODES)[number];
