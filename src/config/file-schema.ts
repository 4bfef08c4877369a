import * as v from 'valibot';
import { wrongTimes } from '../bridge/spanning-tree/settings.ts';
import { SET_INTERFACE } from '../control/schema.ts';
import { DIAL_OPTIONS, DIAL_RULES } from '../schema/dial-options.ts';
import { defaultSettings, NETWORK_OPTIONS, networkName } from '../schema/network-options.ts';
import { noSuchKind, specOf } from '../schema/port-spec.ts';
import { SW_SECTIONS } from '../schema/sw-options.ts';
import { objectOf, type Table, type ValuesOf, withoutLists } from '../schema/table.ts';
import { netdevOptions, TAP_OPTIONS } from '../schema/tap-options.ts';
import { together } from '../schema/together.ts';
import { anyText, flag, listOf } from '../schema/types.ts';
import { deviceName, filePath, tapName, tunnelUrl } from '../schema/values.ts';

/** The schema of a configuration file: the options of `etherws sw`, and ports as the control API adds them. */

const SHUT = { shut: { type: flag, help: 'neither receive nor send' } } as const satisfies Table;

const DEVICE = { ...SHUT, addresses: SET_INTERFACE.addresses, mtu: SET_INTERFACE.mtu } as const satisfies Table;

/** How a client port dials. Secrets may stand in files of their own. */
export const FILE_DIAL_OPTIONS = {
  ...DIAL_OPTIONS,
  passwdFile: { type: filePath, file: 'read', help: 'file that holds the password' },
  tokenFile: { type: filePath, file: 'read', help: 'file that holds a bearer token' },
} as const satisfies Table;

const fileDialOptions = together(objectOf(FILE_DIAL_OPTIONS), [
  ...DIAL_RULES,
  {
    complain: ({ passwdFile, passwd, user }) =>
      passwdFile !== undefined &&
      (passwd !== undefined || user === undefined) && {
        sentence: `{.passwdFile} needs {.user}, and excludes {.passwd}`,
      },
  },
  {
    complain: ({ tokenFile, token, user }) =>
      tokenFile !== undefined &&
      (token !== undefined || user !== undefined) && { sentence: '{.tokenFile} excludes {.token} and {.user}' },
  },
]);

const port = v.variant(
  'type',
  [
    specOf('tap', tapName, objectOf(TAP_OPTIONS), DEVICE),
    specOf('netdev', deviceName, netdevOptions, DEVICE),
    specOf('client', tunnelUrl, fileDialOptions, SHUT),
  ],
  noSuchKind,
);

export type FilePort = v.InferOutput<typeof port>;

const network = together(
  objectOf({
    name: { type: networkName, required: true, help: 'its name' },
    ...NETWORK_OPTIONS,
  } as const satisfies Table),
  [
    {
      complain: ({ name, ...settings }) => {
        const wrong = wrongTimes({ ...defaultSettings(name), ...settings });
        const hint = 'IEEE 802.1D has max-age 20, forward-delay 15 and hello-time 2';
        return wrong === undefined ? undefined : { sentence: `{.maxAge} does not fit: ${wrong}`, hint };
      },
    },
  ],
);

export type FileNetwork = v.InferOutput<typeof network>;

export const FILE_SECTIONS = {
  ...SW_SECTIONS,
  include: { type: anyText, help: 'directory whose files *.yaml are read, too, in the order of their names' },
  networks: { type: listOf(network), help: 'networks that the switch has from its start' },
  ports: { type: listOf(withoutLists(port)), help: 'ports that the switch has from its start' },
} as const satisfies Table;

export type FileValues = ValuesOf<typeof FILE_SECTIONS>;

export const configurationFile = objectOf(FILE_SECTIONS);
