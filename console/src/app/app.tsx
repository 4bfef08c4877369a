import type { JSX } from 'preact';
import { sessionState } from '../session.ts';
import { Frame } from './frame.tsx';
import { Login } from './login.tsx';
import { Shell } from './shell.tsx';
import './app.css';

export function App(): JSX.Element {
  switch (sessionState.value) {
    case 'in':
      return <Frame />;
    case 'out':
      return <Login />;
    case 'unreachable':
      return (
        <p class="app-wait" role="status">
          The switch does not answer. The page tries again by itself.
        </p>
      );
    default:
      return <Shell />;
  }
}
