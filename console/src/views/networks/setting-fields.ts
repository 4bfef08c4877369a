import { settingValue } from '../../parts/port-settings.ts';

/** A setting of networks, as the form and the list show it. The switch checks what is given. */
export interface SettingField {
  /** its name in `setNet` */
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  /** absent: a number or a text */
  readonly options?: readonly string[];
  readonly isNumber?: boolean;
  readonly unit?: string;
  /** the form does not ask for it */
  readonly isOnlyShown?: boolean;
}

const ON_OFF = ['on', 'off'] as const;

export const SETTING_FIELDS: readonly SettingField[] = [
  { name: 'stp', label: 'Spanning tree', hint: 'Blocks spare links of rings', options: ON_OFF },
  {
    name: 'priority',
    label: 'Priority of the bridge',
    hint: '0 to 61440 in steps of 4096; the lowest is the root',
    isNumber: true,
  },
  { name: 'hostSnooping', label: 'Host snooping', hint: 'IP addresses and names of stations', options: ON_OFF },
  { name: 'multicastSnooping', label: 'Multicast snooping', hint: 'Groups go to their members only', options: ON_OFF },
  { name: 'multicastQuerier', label: 'Multicast querier', hint: 'Asks hosts for their groups', options: ON_OFF },
  { name: 'lldp', label: 'LLDP', hint: 'Neighbours at the other ends', options: ON_OFF },
  { name: 'lldpManagement', label: 'LLDP addresses', hint: 'Told for managing: auto, none, or up to four with commas' },
  { name: 'loopDetection', label: 'Loop detection', hint: 'Probes that find loops', options: ['auto', 'on', 'off'] },
  { name: 'ageout', label: 'Ageing time', hint: '0: that of the switch', isNumber: true, unit: 's' },
  {
    name: 'fdbSize',
    label: 'Most addresses',
    hint: 'Of stations that are learned; 0: that of the switch',
    isNumber: true,
  },
  { name: 'mirrorTo', label: 'Mirror to', hint: 'A port that sends copies of all frames; empty for none' },
  { name: 'helloTime', label: 'Hello time', hint: '1 or 2', isNumber: true, unit: 's' },
  { name: 'maxAge', label: 'Max age', hint: '6 to 40', isNumber: true, unit: 's' },
  { name: 'forwardDelay', label: 'Forward delay', hint: '4 to 30', isNumber: true, unit: 's' },
  {
    name: 'tunnelSettings',
    label: 'Of ports of tunnels',
    hint: 'Settings that they have from the start',
    isOnlyShown: true,
  },
];

/** The value of a setting in words. */
export function settingText({ isNumber = false, unit }: SettingField, value: unknown): string {
  if (value === undefined) return '';
  if (isNumber && value === 0) return 'that of the switch';
  return unit === undefined ? settingValue(value) : `${settingValue(value)}\u00a0${unit}`;
}

/** The parameters of `setNet` for the fields that differ; numbers as such. */
export function changedSettings(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Readonly<Record<string, string | number>> {
  const changed = SETTING_FIELDS.filter(({ name }) => after[name] !== undefined && after[name] !== before[name]);
  return Object.fromEntries(
    changed.map(({ name, isNumber = false }) => {
      const text = (after[name] as string).trim();
      return [name, isNumber && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text];
    }),
  );
}
