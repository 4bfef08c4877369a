import type { ComponentChildren, JSX } from 'preact';

export function Section({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="details-section">
      <h3 class="details-heading">{title}</h3>
      {children}
    </section>
  );
}

/** A row; with `href` its name is a link. */
export type Fact = readonly [name: string, value: ComponentChildren, href?: string];

/** The rows with a value. */
export function FactList({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl class="details-facts">
      {known.map(([name, value, href]) => (
        <div key={name} class="details-fact">
          <dt>{href === undefined ? name : <a href={href}>{name}</a>}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
