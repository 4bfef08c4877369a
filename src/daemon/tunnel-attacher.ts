import type { BridgePort } from '../bridge/bridge-port.ts';
import type { SwConfig } from '../config/sw-config.ts';
import type { AutoNetworks } from '../networks/auto-networks.ts';
import type { Switch } from '../networks/switch.ts';
import { type BridgePortValues, layeredValues } from '../schema/bridge-port-options.ts';
import type { IngressPolicies } from './ingress-policies.ts';
import type { AttachTunnel } from './kept-tunnels.ts';
import type { Lifetime } from './lifetime.ts';
import { ownerOf } from './network-choice.ts';
import type { Roaming } from './roaming.ts';

export interface AttachParts {
  readonly config: Pick<SwConfig, 'tunnelSettings'>;
  readonly lifetime: Pick<Lifetime, 'live'>;
  readonly etherSwitch: Switch;
  readonly policy: IngressPolicies | undefined;
  /** undefined: clients do not roam, or nothing is accepted yet */
  readonly roaming: () => Pick<Roaming, 'attached' | 'dropped'> | undefined;
}

/**
 * Attaches tunnels with the policy and the settings of their users, and makes the networks that they want.
 * @param autos makes the networks
 */
export function tunnelAttacher(autos: AutoNetworks, parts: AttachParts): AttachTunnel {
  const { etherSwitch, policy, roaming } = parts;
  const settingsOf = tunnelSettings(parts);
  return (port, user, { network, address }, options = {}) => {
    autos.ensure(network, ownerOf(user, address));
    const attached = (bridgePort: BridgePort): void => {
      policy?.apply(bridgePort, user, network);
      roaming()?.attached(bridgePort, user, { network, address });
    };
    const dropped = (bridgePort: BridgePort): void => {
      policy?.forget(bridgePort);
      roaming()?.dropped(bridgePort);
    };
    const otherwise = (): BridgePortValues => settingsOf(network, user);
    return etherSwitch.attach(port, { ...options, network, user, attached, dropped, otherwise });
  };
}

/** What the port of a tunnel has from the start: of the user, else of the network, else of the switch. */
function tunnelSettings({
  config,
  lifetime,
  etherSwitch,
  policy,
}: AttachParts): (network: string, user: string | null) => BridgePortValues {
  const settingsChanged = (): void => etherSwitch.administration.settingsChanged(etherSwitch.attachedPorts());
  let ofSwitch = config.tunnelSettings;
  lifetime.live.on(['tunnels.settings'], (changed) => {
    ofSwitch = changed.tunnelSettings;
    settingsChanged();
  });
  if (policy !== undefined) policy.onChange = settingsChanged;
  return (network, user) =>
    layeredValues(ofSwitch, etherSwitch.network(network).settings.tunnelSettings, policy?.settingsOf(user) ?? {});
}
