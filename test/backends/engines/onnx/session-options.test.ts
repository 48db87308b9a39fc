import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadError, spinEntries } from '../../../../src/backends/engines/onnx/session-options.ts';
import { SkeinError } from '../../../../src/protocol/errors.ts';

const path = '/data/my models/m/1/model.onnx';

for (const [said, told] of [
  [
    `Load model from ${path} failed: Protobuf parsing failed.`,
    'Load model from the model file failed: Protobuf parsing failed.',
  ],
  ['External data path does not exist: "/data/my models/m/1/w.bin"', 'External data path does not exist: "w.bin"'],
  [
    'path: "../w.bin" resolved path: "/data/w.bin" allowed: "/data/m/1"',
    'path: "../w.bin" resolved path: "w.bin" allowed: "1"',
  ],
  [
    '/onnxruntime_src/core/graph/model.cc:148 Unknown model file format version.',
    'model.cc:148 Unknown model file format version.',
  ],
  [
    'Node (a/b/Add) has input size 1 not in range [min=2, max=2].',
    'Node (a/b/Add) has input size 1 not in range [min=2, max=2].',
  ],
] as const) {
  test(`loadError tells '${told}'`, () => {
    const error = loadError(new Error(said), 'm', 1, path);
    assert.equal(error.code, 'load_failed');
    assert.equal(error.facts['reason'], told);
  });
}

test('loadError leaves an error that has a code as it is', () => {
  const error = new SkeinError('cancelled');
  assert.equal(loadError(error, 'm', 1, path), error);
});

for (const [version, spins] of [
  ['1.23.2', false],
  ['1.25.1', false],
  ['1.26.0', true],
  ['1.30.0', true],
  ['2.0.0', true],
] as const) {
  test(`Threads of ONNX Runtime ${version} ${spins ? 'spin for a bounded time' : 'do not spin'}`, () => {
    const entries = spinEntries(version);
    assert.equal(entries['session.intra_op.allow_spinning'], spins ? '1' : '0');
    assert.equal('session.intra_op.spin_duration_us' in entries, spins);
  });
}
