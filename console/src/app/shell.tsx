import type { JSX } from 'preact';
import './frame.css';

/** The frame without its contents, as index.html has it: until the switch has said what the user may see. */
export function Shell(): JSX.Element {
  return (
    <div class="frame" aria-busy="true">
      <header class="frame-head">
        <span class="frame-name">etherws</span>
      </header>
      <div class="frame-nav" />
      <main class="frame-main" />
    </div>
  );
}
