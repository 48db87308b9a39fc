import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { estimateResidentBytes } from '../../../src/backends/memory/size-estimate.ts';

describe('estimateResidentBytes', () => {
  test('is above what ONNX Runtime was measured to hold, and not twice as much', () => {
    // ResNet-50: a file of 102 MB, 124 to 131 MB more in the process with each session.
    const estimate = estimateResidentBytes('onnx', 102e6);
    assert.ok(estimate > 131e6 && estimate < 2 * 131e6, String(estimate));
  });

  test('grows with the files and is whole bytes', () => {
    for (const format of ['onnx', 'ort', 'savedmodel', 'echo'] as const) {
      assert.ok(estimateResidentBytes(format, 1_001) > estimateResidentBytes(format, 1_000));
      assert.ok(Number.isInteger(estimateResidentBytes(format, 12_345)));
    }
  });
});
