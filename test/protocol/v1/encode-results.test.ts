import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeClassifications, encodeRegressions } from '../../../src/protocol/v1/encode-results.ts';

const text = ({ parts }: { readonly parts: readonly Uint8Array[] }) => Buffer.concat(parts).toString();

describe('encodeRegressions', () => {
  test('writes them in one line, as the documentation of TensorFlow Serving shows them', () => {
    assert.equal(text(encodeRegressions([3.5, 4])), '{\n    "results": [3.5, 4.0]\n}');
  });
});

describe('encodeClassifications', () => {
  test('writes pairs of label and score for each example', () => {
    const classes = [
      { label: 'up', score: 0.75 },
      { label: '', score: 0 },
    ];
    assert.equal(
      text(encodeClassifications([classes, []])),
      '{\n    "results": [[["up", 0.75], ["", 0.0]], []\n    ]\n}',
    );
  });
});
