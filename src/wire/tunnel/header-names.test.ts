import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESH_ANSWER_HEADER, MESH_FULL_HEADER } from './mesh-headers.ts';
import { REDIRECT_HEADER, ROAMING_HEADER } from './roaming-headers.ts';

test('the header fields of nodes have the names that other versions know', () => {
  assert.deepEqual(
    [MESH_ANSWER_HEADER, MESH_FULL_HEADER, REDIRECT_HEADER, ROAMING_HEADER],
    ['Etherws-Mesh-Answer', 'Etherws-Mesh-Full', 'Etherws-Redirect', 'Etherws-Roaming'],
  );
});
