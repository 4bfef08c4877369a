import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { DissectedField, DissectedLayer } from '../../../../src/capture/dissect/layer.ts';
import { Icon } from '../../parts/icon.tsx';
import { count } from '../../parts/units.ts';
import type { KeptFrame } from './frame-store.ts';
import { hexLines } from './hex.ts';

/** Octets that are marked. */
interface Range {
  readonly start: number;
  readonly octets: number;
}

type Mark = (range: Range) => void;

/** One frame: its headers as a tree, and its octets, in which those of a chosen field are marked. */
export function FrameDetails({
  frame,
  onClose,
}: {
  readonly frame: KeptFrame;
  readonly onClose: () => void;
}): JSX.Element {
  const marked = useSignal<Range>({ start: 0, octets: 0 });
  const { packet, dissected, number } = frame;
  const mark: Mark = (range) => {
    marked.value = range;
  };
  const { start, octets } = marked.value;
  return (
    <section class="capture-details" aria-label={`Frame ${number}`}>
      <header class="capture-details-head">
        <h2 class="capture-details-title">Frame {count(number)}</h2>
        <span class="muted">
          {packet.length === packet.bytes.length
            ? `${count(packet.length)} octets`
            : `the first ${count(packet.bytes.length)} of ${count(packet.length)} octets`}
        </span>
        {packet.comments.map((comment) => (
          <span key={comment} class="badge badge-warning">
            {comment}
          </span>
        ))}
        <button
          type="button"
          class="button button-quiet capture-details-close"
          aria-label="Close the frame"
          data-closes
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="capture-tree">
        {dissected.layers.map((layer) => (
          <Layer key={`${layer.start}-${layer.protocol}`} layer={layer} mark={mark} />
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section class="capture-hex mono" tabIndex={0} aria-label="Octets">
        {hexLines(packet.bytes, start, start + octets).map(({ offset, hex, text }) => (
          <span key={offset} class="capture-hex-line">
            <span class="muted">{offset}</span>
            <Parts parts={hex} isSpaced />
            <Parts parts={text} />
          </span>
        ))}
      </section>
    </section>
  );
}

function Layer({ layer, mark }: { readonly layer: DissectedLayer; readonly mark: Mark }): JSX.Element {
  const { protocol, start, octets, fields, isCut } = layer;
  const size = `${count(octets)} ${octets === 1 ? 'octet' : 'octets'}`;
  return (
    <details class="capture-layer" open>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is a control of the browser, by the keyboard as well */}
      <summary class="capture-summary" onClick={() => mark({ start, octets })}>
        <strong>{protocol}</strong> <span class="muted">{size}</span>
        {isCut && <span class="badge badge-warning">cut</span>}
      </summary>
      <Fields fields={fields} mark={mark} />
    </details>
  );
}

function Fields({ fields, mark }: { readonly fields: readonly DissectedField[]; readonly mark: Mark }): JSX.Element {
  return (
    <ul class="capture-fields">
      {fields.map((field, at) => (
        <li key={at}>
          {field.fields === undefined ? (
            <button type="button" class="capture-field" onClick={() => mark(field)}>
              <FieldText field={field} />
            </button>
          ) : (
            <details>
              {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
              <summary class="capture-summary" onClick={() => mark(field)}>
                <FieldText field={field} />
              </summary>
              <Fields fields={field.fields} mark={mark} />
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

function FieldText({ field: { label, value } }: { readonly field: DissectedField }): JSX.Element {
  return (
    <>
      <span class="muted">{label}</span> <span class="capture-value">{value}</span>
    </>
  );
}

function Parts({
  parts,
  isSpaced = false,
}: {
  readonly parts: readonly [string, string, string];
  readonly isSpaced?: boolean;
}): JSX.Element {
  const [before, marked, after] = parts;
  const gap = (one: string, other: string): string => (isSpaced && one !== '' && other !== '' ? ' ' : '');
  return (
    <span class={isSpaced ? 'capture-hex-octets' : 'capture-hex-text'}>
      {before}
      {gap(before, marked)}
      {marked !== '' && <mark class="capture-mark">{marked}</mark>}
      {gap(before + marked, after)}
      {after}
    </span>
  );
}
