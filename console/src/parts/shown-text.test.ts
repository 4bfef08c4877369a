import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeNode, shownText } from './shown-text.ts';

test('characters that are invisible or turn the direction are shown as escapes', () => {
  assert.equal(shownText('invoice\u202efdp.exe'), 'invoice\\u{202e}fdp.exe');
  assert.equal(shownText('a\u200bb\u2028c\u0007\u{e0041}'), 'a\\u{200b}b\\u{2028}c\\u{7}\\u{e0041}');
  assert.equal(shownText('Büro 東京 عربي\n\t\u00a0'), 'Büro 東京 عربي\n\t\u00a0');
});

test('texts and titles are escaped, values of fields are not', () => {
  const text = { type: null, props: 'c\u2066' };
  escapeNode(text);
  assert.equal(text.props, 'c\\u{2066}');
  const props = { title: 'a\u2066', value: 'b\u2066' };
  escapeNode({ type: 'input', props });
  assert.deepEqual(props, { title: 'a\\u{2066}', value: 'b\u2066' });
  const ofComponent = { title: 'a\u2066' };
  escapeNode({ type: () => null, props: ofComponent });
  assert.deepEqual(ofComponent, { title: 'a\u2066' }, 'a component may send what it is given');
});
