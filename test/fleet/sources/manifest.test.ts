import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { filesOfVersion, parseManifest } from '../../../src/fleet/sources/manifest.ts';

const digest = 'a'.repeat(64);

function paths(text: string): string[] {
  const files = parseManifest(text, 'SHA256SUMS');
  return 'fault' in files ? assert.fail(files.fault) : files.map(({ path }) => path);
}

function fault(text: string): string {
  const files = parseManifest(text, 'SHA256SUMS');
  return 'fault' in files ? files.fault : assert.fail('it was taken');
}

describe('parseManifest', () => {
  test('reads what sha256sum writes, in text and binary mode, and leaves itself out', () => {
    const text = `${digest}  1/model.onnx\n${digest} *./config.pbtxt\r\n\n${digest}  ./SHA256SUMS\n`;
    assert.deepEqual(paths(text), ['1/model.onnx', 'config.pbtxt']);
  });

  const wrong: [text: string, reason: RegExp][] = [
    ['', /names no file/],
    ['nonsense', /line 1 is not/],
    [`${digest} model.onnx`, /line 1 is not/],
    [`${digest}  ../model.onnx`, /does not lead downward/],
    [`${digest}  a/../../model.onnx`, /does not lead downward/],
    [`${digest}  /etc/passwd`, /is absolute/],
    [`${digest}  a\\b`, /backslash/],
    [`\\${digest}  a\\nb`, /line 1 is not/],
    [`${digest}  a\n${digest}  a`, /line 2 names 'a' a second time/],
    [`${digest}  a\n${digest}  a/b`, /'a' is both/],
    [`${digest}  ${'x'.repeat(1025)}`, /longer than/],
    [Array.from({ length: 10_001 }, (_, i) => `${digest}  f${i}`).join('\n'), /more than 10000/],
  ];
  for (const [text, reason] of wrong) {
    test(`says why it does not take ${JSON.stringify(text.slice(-40))}`, () => assert.match(fault(text), reason));
  }

  test('never gives out a path that leaves the directory', () => {
    const part = fc.constantFrom('..', '.', '', 'a', '1', 'model.onnx', '\\', '\0', ' ');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const files = parseManifest(`${digest}  ${parts.join('/')}\n`, 'SHA256SUMS');
        if ('fault' in files) return;
        for (const { path } of files)
          assert.equal(
            new URL(path.split('/').map(encodeURIComponent).join('/'), 'http://h/m/').pathname.startsWith('/m/'),
            true,
          );
      }),
    );
  });
});

describe('filesOfVersion', () => {
  test('takes the version and what belongs to none', () => {
    const files = [
      '1/model.onnx',
      '2/model.onnx',
      '2/weights/w.bin',
      'config.pbtxt',
      'labels/names.txt',
      '10/model.onnx',
    ].map((path) => ({ path, sha256: digest }));
    assert.deepEqual(
      filesOfVersion(files, 2).map(({ path }) => path),
      ['2/model.onnx', '2/weights/w.bin', 'config.pbtxt', 'labels/names.txt'],
    );
  });
});
