import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { JsonCursor } from '../../../src/protocol/json/json-cursor.ts';
import { skipArray } from '../../../src/protocol/json/json-span.ts';

describe('skipArray', () => {
  test('ends where the array ends, whatever stands in it and behind it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom('', ']', ',"a"]', '}'), (array, behind) => {
        const text = JSON.stringify(array);
        const cursor = new JsonCursor(Buffer.from(text + behind));
        const length = Buffer.byteLength(text);
        assert.deepEqual(skipArray(cursor), { start: 0, end: length, depth: 0 });
        assert.equal(cursor.at, length);
      }),
    );
  });

  test('is not misled by brackets and quotes inside strings', () => {
    const text = '["]","\\"]","\\\\",[["["]]]';
    assert.equal(skipArray(new JsonCursor(Buffer.from(`${text}]`))).end, text.length);
  });

  for (const text of ['[', '[1,2', '[[1]', '["]', '["\\"]', '["a\\']) {
    test(`refuses ${text}, which never ends`, () => {
      assert.throws(
        () => skipArray(new JsonCursor(Buffer.from(text))),
        (fault) => fault instanceof SkeinError && fault.code === 'json_malformed',
      );
    });
  }
});
