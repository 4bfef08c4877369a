import { useSignal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { hashOf, route } from '../router.ts';
import { logout, may, mayAnything, session } from '../session.ts';
import { VIEWS, type View } from '../views.ts';
import { ConnectionLine } from './connection-line.tsx';
import { Keyboard } from './keyboard.tsx';
import './frame.css';

/** Views that are loaded, by id. */
const loaded = new Map<string, ComponentType>();

/** The page of a user that is logged in: navigation, and one view. */
export function Frame(): JSX.Element {
  const shown = VIEWS.filter(({ needs }) => needs.some(may));
  const view = shown.find(({ id }) => id === route.value.view) ?? shown[0];
  const name = session.value?.name ?? '';
  useEffect(() => {
    document.title = [view?.title, name, 'etherws'].filter((part) => part).join(' · ');
  }, [view, name]);
  return (
    <div class="frame">
      <button type="button" class="button frame-skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header class="frame-head">
        <span class="frame-name">{name === '' ? 'etherws' : name}</span>
        <span class="frame-version">{session.value?.version}</span>
        {mayAnything() && <ConnectionLine />}
        <Keyboard views={shown} />
        {session.value?.canLogOut === true && (
          <button type="button" class="button button-quiet frame-user" onClick={() => void logout()}>
            <Icon name="logout" /> <span class="frame-user-text">Log {session.value?.user} out</span>
          </button>
        )}
      </header>
      <nav class="frame-nav" aria-label="Views">
        {shown.map((row) => (
          <a
            key={row.id}
            class="frame-link"
            href={hashOf(row.id)}
            aria-current={row === view ? 'page' : undefined}
            title={row.title}
          >
            <Icon name={row.icon} />
            <span class="frame-link-text">{row.title}</span>
          </a>
        ))}
      </nav>
      <main class="frame-main" id="main" tabIndex={-1} aria-label={view?.title}>
        {view === undefined ? <NothingAllowed /> : <LoadedView key={view.id} view={view} />}
      </main>
    </div>
  );
}

function NothingAllowed(): JSX.Element {
  return (
    <p class="frame-note" role="alert">
      The policy of this switch lets the user {session.value?.user} see nothing. The operator of the switch can allow
      methods there.
    </p>
  );
}

function LoadedView({ view }: { readonly view: View }): JSX.Element | null {
  const version = useSignal(0);
  const failure = useSignal<string | null>(null);
  version.value;
  useEffect(() => {
    if (loaded.has(view.id)) return;
    view.load().then(
      (component) => {
        loaded.set(view.id, component);
        version.value++;
      },
      (error: unknown) => {
        failure.value = String(error);
      },
    );
  }, [view, version, failure]);
  const Component = loaded.get(view.id);
  if (Component !== undefined) return <Component />;
  if (failure.value === null) return null;
  return (
    <p class="frame-note" role="alert">
      This part of the console could not be loaded ({failure.value}). The switch may have been upgraded since the page
      was opened: reload the page.
    </p>
  );
}
