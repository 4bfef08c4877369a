import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PortEntry } from '../../../../src/control/entries.ts';
import type { NetworkEntry } from '../../../../src/control/network-entries.ts';
import { useTable } from '../../live/live.ts';
import { ChoiceField, TextField } from '../../parts/form.tsx';
import { useAction } from '../../parts/use-action.ts';
import { hashOf } from '../../router.ts';
import { dialSpec } from './dial-spec.ts';

/** Lets this switch dial another one. */
export function Dial(): JSX.Element {
  const networks = useTable<NetworkEntry>('networks');
  const names = useMemo(() => [...networks.rows.keys()].sort(), [networks.version.value]);
  const url = useSignal('');
  const name = useSignal('');
  const network = useSignal('default');
  const kind = useSignal<string>('none');
  const user = useSignal('');
  const secret = useSignal('');
  const pin = useSignal('');
  const added = useSignal<PortEntry | null>(null);
  const { run, failure, isBusy } = useAction();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    added.value = null;
    const spec = dialSpec({
      url: url.value,
      name: name.value,
      network: network.value,
      credential: kind.value as 'none',
      user: user.value,
      secret: secret.value,
      pin: pin.value,
    });
    const entries = await run<PortEntry>('addPort', spec);
    if (entries === undefined) return;
    added.value = entries[0] ?? null;
    secret.value = '';
  }

  return (
    <form class="add-dial" onSubmit={(event) => void submit(event)}>
      <div class="add-fields">
        <TextField label="URL of the other switch" text={url} placeholder="wss://relay.example/" />
        <TextField label="Name" text={name} placeholder="none" />
        <ChoiceField
          label="Network"
          text={network}
          options={(names.length === 0 ? ['default'] : names).map((each) => [each, each])}
        />
        <ChoiceField
          label="Credentials that it wants"
          text={kind}
          options={[
            ['none', 'None'],
            ['password', 'User and password'],
            ['token', 'Token'],
          ]}
        />
        {kind.value === 'password' && <TextField label="User" text={user} />}
        {kind.value !== 'none' && (
          <TextField isSecret label={kind.value === 'token' ? 'Token' : 'Password'} text={secret} />
        )}
        <TextField label="Pin of its public key" text={pin} placeholder="none: by an authority" />
      </div>
      {failure.value !== null && (
        <p class="notice notice-bad" role="alert">
          {failure.value}
        </p>
      )}
      <p class="add-added" role="status">
        {added.value !== null && (
          <>
            Port {added.value.port} was added.{' '}
            <a href={hashOf('ports', { port: added.value.port })}>See whether its tunnel comes up</a>
          </>
        )}
      </p>
      <button type="submit" class="button button-main add-submit" disabled={isBusy.value || url.value.trim() === ''}>
        Dial it
      </button>
    </form>
  );
}
