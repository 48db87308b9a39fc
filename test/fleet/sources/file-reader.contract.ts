import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { FileReader, OpenFile } from '../../../src/fleet/sources/file-reader.ts';
import { someBytes } from './file-server.ts';

interface ReaderAtFiles {
  readonly reader: FileReader;
  urlOf(path: string): URL;
}

/** What every place that files are read from promises. `open` puts these files there. */
export function fileReaderContract(
  name: string,
  open: (t: TestContext, files: Record<string, Uint8Array>) => Promise<ReaderAtFiles>,
): void {
  const content = someBytes(300_000);
  const files = { 'm/1/model.onnx': content, 'm/a name (1).txt': Buffer.from('x') };
  const signal = new AbortController().signal;

  describe(`${name} as a reader of files`, () => {
    test('reads a file whole, and says how large it is', async (t) => {
      const { reader, urlOf } = await open(t, files);
      const file = await reader.open(urlOf('m/1/model.onnx'), 0, signal);
      assert.deepEqual([file.offsetBytes, file.sizeBytes], [0, content.length]);
      assert.ok((await bytesOf(file)).equals(content));
    });

    test('reads the rest of a file', async (t) => {
      const { reader, urlOf } = await open(t, files);
      const file = await reader.open(urlOf('m/1/model.onnx'), 123_456, signal);
      assert.deepEqual([file.offsetBytes, file.sizeBytes], [123_456, content.length]);
      assert.ok((await bytesOf(file)).equals(content.subarray(123_456)));
    });

    test('begins anew where the rest that is asked for is not there', async (t) => {
      const { reader, urlOf } = await open(t, files);
      const file = await reader.open(urlOf('m/1/model.onnx'), content.length + 5, signal);
      assert.equal(file.offsetBytes, 0);
      assert.ok((await bytesOf(file)).equals(content));
    });

    test('reads a file with an unusual name', async (t) => {
      const { reader, urlOf } = await open(t, files);
      assert.equal(String(await bytesOf(await reader.open(urlOf('m/a name (1).txt'), 0, signal))), 'x');
    });

    test('says that a file is not there', async (t) => {
      const { reader, urlOf } = await open(t, files);
      await assert.rejects(reader.open(urlOf('m/2/model.onnx'), 0, signal), { code: 'source_not_found' });
    });

    test('reads nothing outside of what is allowed', async (t) => {
      const { reader, urlOf } = await open(t, files);
      const outside = new URL(urlOf('m/1/model.onnx').href.replace('/m/', '/secret/'));
      await assert.rejects(reader.open(outside, 0, signal), { code: 'source_not_allowed' });
    });
  });
}

export async function bytesOf(file: OpenFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
