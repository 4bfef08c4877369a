import type { Port } from './port-text.ts';

/** The fields of the form, as text. */
export interface PortForm {
  readonly name: string;
  readonly description: string;
  readonly vlanMode: string;
  readonly pvid: string;
  readonly vlans: string;
  readonly mirrorTo: string;
  readonly mirrorDir: string;
}

/** The fields with the values of the port. */
export function formOf({ name, description, settings }: Port): PortForm {
  const {
    vlanMode = 'transparent',
    pvid = 1,
    vlans = 'all',
    mirrorTo = '',
    mirrorDir = 'both',
  } = settings as Readonly<Record<string, unknown>>;
  return {
    name: name ?? '',
    description: description ?? '',
    vlanMode: String(vlanMode),
    pvid: String(pvid),
    vlans: String(vlans),
    mirrorTo: String(mirrorTo),
    mirrorDir: String(mirrorDir),
  };
}

/** The parameters of `setPort` for the fields that differ; those of the VLAN ID as a number. The switch checks them. */
export function changesOf(before: PortForm, after: PortForm): Readonly<Record<string, string | number>> {
  const changed = (Object.keys(before) as (keyof PortForm)[]).filter((name) => before[name] !== after[name]);
  return Object.fromEntries(
    changed.map((name) => {
      const text = after[name].trim();
      return [name, name === 'pvid' && /^\d+$/.test(text) ? Number(text) : text];
    }),
  );
}
