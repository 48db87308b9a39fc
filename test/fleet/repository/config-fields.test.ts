import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { listConfigFields } from '../../../src/fleet/repository/config-field-list.ts';

/** Every field path of the protobuf declaration, in its order. */
const declared = readFileSync(new URL('fixtures/model-config-fields.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

describe('listConfigFields', () => {
  const fields = listConfigFields();
  const refused = fields.filter((field) => field.support === 'refused').map((field) => field.path);
  const isInRefused = (path: string) => refused.some((prefix) => path.startsWith(`${prefix}.`));

  test('names every field of the protobuf declaration, and no other', () => {
    const expected = declared.filter((path) => !isInRefused(path));
    assert.deepEqual(fields.map((field) => field.path).sort(), expected.sort());
  });

  test('keeps the order of the declaration at the top, as JSON is written in it', () => {
    const top = (paths: readonly string[]) => paths.filter((path) => !path.includes('.'));
    assert.deepEqual(top(fields.map((field) => field.path)), top(declared));
  });

  test('gives a reason for whatever has no effect or is refused', () => {
    const roots = fields.filter(
      ({ path, support }) =>
        support !== 'honoured' &&
        !fields.some((other) => other.support === support && path.startsWith(`${other.path}.`)),
    );
    assert.ok(roots.length > 15);
    for (const { path, note } of roots) assert.ok(note.length > 10, path);
  });
});
