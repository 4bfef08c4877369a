import { type Signal, signal } from '@preact/signals';

/** A place in the console, as its hash tells: `#/ports?port=3`. */
export interface Route {
  /** `ports` */
  readonly view: string;
  readonly query: ReadonlyMap<string, string>;
}

export const route: Signal<Route> = signal({ view: '', query: new Map() });

/** Reads a hash. It never throws; what is no route leads to the view `''`. */
export function readRoute(hash: string): Route {
  const [, view = '', query = ''] = /^#\/([\w-]*)\??(.*)$/s.exec(hash) ?? [];
  return { view, query: new Map(new URLSearchParams(query)) };
}

/** The hash of a place. Absent and empty members of `query` are left out. */
export function hashOf(view: string, query: Readonly<Record<string, string | number | null | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? `#/${view}` : `#/${view}?${text}`;
}

/** Goes to a place. @param replace whether the place before is forgotten, as while a search is typed */
export function go(
  view: string,
  query: Readonly<Record<string, string | number | null | undefined>> = {},
  replace = false,
): void {
  const hash = hashOf(view, query);
  if (replace) history.replaceState(null, '', hash);
  else history.pushState(null, '', hash);
  route.value = readRoute(hash);
}

export function followHash(): void {
  const follow = (): void => {
    route.value = readRoute(location.hash);
  };
  addEventListener('hashchange', follow);
  addEventListener('popstate', follow);
  follow();
}
