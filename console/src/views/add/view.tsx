import type { JSX } from 'preact';
import { may } from '../../session.ts';
import { Dial } from './dial.tsx';
import { Invite } from './invite.tsx';
import './add.css';

/** Two ways to a tunnel: the other side dials this switch, or this switch dials. */
export function AddView(): JSX.Element {
  return (
    <div class="add">
      <h1 class="add-heading">Add a tunnel</h1>
      <section class="add-section" aria-labelledby="add-invite">
        <h2 class="add-title" id="add-invite">
          The other side dials
        </h2>
        <Invite />
      </section>
      {may('addPort') && (
        <section class="add-section" aria-labelledby="add-dial">
          <h2 class="add-title" id="add-dial">
            This switch dials
          </h2>
          <Dial />
        </section>
      )}
    </div>
  );
}
