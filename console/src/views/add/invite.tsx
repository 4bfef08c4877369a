import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import type { StatusEntry } from '../../../../src/control/status-entries.ts';
import { useTable } from '../../live/live.ts';
import { ChoiceField, TextField } from '../../parts/form.tsx';
import { Copied } from './copied.tsx';
import {
  addressOf,
  addressProblem,
  type Credential,
  commandOf,
  DEFAULT_NETWORK,
  fileLinesOf,
  type Invitation,
  isLoopback,
  type Service,
  type Trust,
  urlOf,
} from './invitation.ts';
import { CredentialNote, TrustNote } from './notes.tsx';
import { QrCode } from './qr.tsx';

const CREDENTIALS: Readonly<Record<Credential | 'none', string>> = {
  password: 'User and password',
  token: 'Token',
  certificate: 'Client certificate',
  none: 'None',
};

/** What the other side pastes to dial this switch. */
export function Invite(): JSX.Element {
  const status = useTable<StatusEntry>('status');
  const tunnels = [...status.rows.values()][0]?.services.find(({ service }) => service === 'tunnels');
  if (tunnels === undefined) return <p class="muted">Asking the switch where it accepts tunnels.</p>;
  return <InviteForm tunnels={tunnels} />;
}

function InviteForm({ tunnels }: { readonly tunnels: Service }): JSX.Element {
  const networks = useTable<NetworkEntry>('networks');
  const names = useMemo(() => [...networks.rows.keys()].sort(), [networks.version.value]);
  const isTls = tunnels.url.startsWith('wss:');
  const address = useSignal(addressOf(tunnels, location.hostname));
  const network = useSignal(DEFAULT_NETWORK);
  const name = useSignal('');
  const user = useSignal('');
  const credential = useSignal<string>(tunnels.credentials[0] ?? 'none');
  const trust = useSignal<string>(isTls && tunnels.pin !== null ? 'pin' : 'authority');
  const wire = useSignal<string>('auto');
  const reconnect = useSignal<string>('yes');
  const networkThere = useSignal(DEFAULT_NETWORK);
  const invitation = useComputed<Invitation>(() => ({
    address: address.value.trim(),
    network: network.value,
    name: name.value.trim(),
    credential: credential.value as Invitation['credential'],
    user: user.value.trim(),
    trust: address.value.startsWith('wss:') ? (trust.value as Trust) : 'none',
    pin: tunnels.pin,
    wire: wire.value as Invitation['wire'],
    reconnect: reconnect.value === 'yes',
    networkThere: networkThere.value.trim(),
  }));
  const offered = tunnels.credentials.length === 0 ? (['none'] as const) : tunnels.credentials;
  return (
    <>
      <div class="add-fields">
        <TextField
          label="Address of this switch, as the other side reaches it"
          text={address}
          hint={`It accepts tunnels at ${tunnels.url}`}
        />
        <ChoiceField
          label="Network here"
          text={network}
          options={(names.length === 0 ? [DEFAULT_NETWORK] : names).map((each) => [each, each])}
        />
        <ChoiceField label="Credentials" text={credential} options={offered.map((kind) => [kind, CREDENTIALS[kind]])} />
        {credential.value === 'password' && <TextField label="User" text={user} placeholder="alice" />}
        {address.value.startsWith('wss:') && <TrustField trust={trust} pin={tunnels.pin} />}
        <TextField label="Name of the port there" text={name} placeholder="none" />
        <TextField label="Network there" text={networkThere} />
        <ChoiceField
          label="When the tunnel ends"
          text={reconnect}
          options={[
            ['yes', 'Dial again'],
            ['no', 'Remove the port'],
          ]}
        />
        <ChoiceField
          label="Wire format"
          text={wire}
          options={[
            ['auto', 'Batched, if both can'],
            ['raw', 'Raw, as etherws 1.x'],
          ]}
        />
      </div>
      <Result invitation={invitation.value} />
    </>
  );
}

function TrustField({ trust, pin }: { readonly trust: Signal<string>; readonly pin: string | null }): JSX.Element {
  return (
    <ChoiceField
      label="How the other side knows this switch"
      text={trust}
      options={[
        ...(pin === null ? [] : [['pin', 'By its public key (a pin)'] as const]),
        ['authority', 'By a public authority'],
        ['file', 'By a file with the authority’s certificate'],
      ]}
    />
  );
}

/** The texts to paste, or what is missing for them. */
function Result({ invitation }: { readonly invitation: Invitation }): JSX.Element {
  const problem = addressProblem(invitation.address) ?? userProblem(invitation);
  if (problem !== undefined) {
    return (
      <p class="notice notice-warning" role="status">
        {problem}
      </p>
    );
  }
  const url = urlOf(invitation);
  return (
    <div class="add-result">
      {isLoopback(invitation.address) && (
        <p class="notice notice-warning">
          This address leads to this host only. Give the one by which the other side reaches it; the switch listens
          where --host says.
        </p>
      )}
      <div class="add-qr-beside">
        <div class="add-steps">
          <h3 class="add-step">The URL</h3>
          <Copied name="URL" text={url} />
          <h3 class="add-step">1. On the other host: a switch, unless one runs there</h3>
          <Copied name="first command" text="etherws sw" />
          <h3 class="add-step">2. The tunnel</h3>
          <CredentialNote credential={invitation.credential} network={invitation.network} />
          <TrustNote trust={invitation.trust} />
          <Copied name="command" text={commandOf(invitation)} />
          <h3 class="add-step">Or in its configuration file</h3>
          <Copied name="lines" text={fileLinesOf(invitation)} />
        </div>
        <figure class="add-code">
          <QrCode text={url} label={`QR code of ${url}`} />
          <figcaption>The URL, for a camera</figcaption>
        </figure>
      </div>
    </div>
  );
}

function userProblem({ credential, user }: Invitation): string | undefined {
  if (credential !== 'password') return undefined;
  if (user === '') return 'Give the user of the other side';
  return user.includes(':') ? 'A user has no colon in its name' : undefined;
}
