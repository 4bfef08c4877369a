import { type Signal, signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Field } from '../parts/field.tsx';
import { type Credentials, login, refusal, wants } from '../session.ts';
import './login.css';

/** Why the last attempt failed; null without one. */
export const loginFailure: Signal<string | null> = signal(null);

type Way = 'password' | 'token' | 'code';
const WAYS: readonly Way[] = ['password', 'token', 'code'];
const TITLES: Readonly<Record<Way, string>> = { password: 'Password', token: 'Token', code: 'Code' };

/** The login, with the credentials of the control API. */
export function Login(): JSX.Element {
  // A code needs no credentials of its own: it is made on the switch.
  const offered = WAYS.filter((way) => way === 'code' || wants.value.includes(way));
  const chosen = useSignal<Way | null>(null);
  const way = chosen.value ?? offered[0] ?? 'code';
  const isBusy = useSignal(false);
  const said = loginFailure.value ?? refusal.value;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    try {
      await login(credentialsOf(way, form));
      loginFailure.value = null;
    } catch (error) {
      loginFailure.value =
        error instanceof TypeError ? 'The switch does not answer. Is it running?' : (error as Error).message;
    }
    isBusy.value = false;
  }

  return (
    <main class="login">
      <form class="login-form" onSubmit={(event) => void submit(event)}>
        <h1 class="login-title">etherws</h1>
        {offered.length > 1 && (
          <fieldset class="login-ways">
            <legend class="hidden-text">Log in by</legend>
            {offered.map((row) => (
              <label key={row} class="login-way">
                <input
                  type="radio"
                  name="way"
                  value={row}
                  checked={row === way}
                  onChange={() => {
                    chosen.value = row;
                    loginFailure.value = null;
                  }}
                />
                {TITLES[row]}
              </label>
            ))}
          </fieldset>
        )}
        <Fields key={way} way={way} />
        <p class="login-failure" role="alert">
          {said !== null && <span class="notice notice-bad">{said}</span>}
        </p>
        <button type="submit" class="button button-main login-submit" disabled={isBusy.value}>
          Log in
        </button>
      </form>
    </main>
  );
}

function credentialsOf(way: Way, form: FormData): Credentials {
  const text = (name: string): string => String(form.get(name) ?? '');
  if (way === 'password') return { user: text('user'), password: text('password') };
  return way === 'token' ? { token: text('token').trim() } : { code: text('code').trim() };
}

function Fields({ way }: { readonly way: Way }): JSX.Element {
  switch (way) {
    case 'password':
      return (
        <>
          <LoginField label="User" name="user" autocomplete="username" />
          <LoginField label="Password" name="password" isSecret autocomplete="current-password" />
        </>
      );
    case 'token':
      return <LoginField label="Token" name="token" isSecret hint="As etherws ctl takes it with --token" />;
    default:
      return (
        <LoginField
          label="Code"
          name="code"
          hint="From etherws ctl console, on the host of the switch; it holds for 60 s"
        />
      );
  }
}

interface LoginFieldProps {
  readonly label: string;
  readonly name: string;
  readonly isSecret?: boolean;
  readonly autocomplete?: string;
  readonly hint?: string;
}

/** A field that the form reads by its name, so that browsers know what it is. */
function LoginField({ label, name, isSecret = false, autocomplete = 'off', hint }: LoginFieldProps): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          name={name}
          {...(isSecret ? { type: 'password' as const } : {})}
          autocomplete={autocomplete}
          autocapitalize="off"
          spellcheck={false}
          required
        />
      )}
    </Field>
  );
}
