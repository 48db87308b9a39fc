import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';
import { type Image, readPng, writePng } from '../../examples/classify-image/png.ts';
import { textLine, textLineShape } from '../../examples/classify-image/text-line.ts';
import { prepareExampleRepository } from '../../examples/models/prepare.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { openSession, valuesOf } from '../fixtures/onnx-runtime.ts';

const examples = join(import.meta.dirname, '../../examples');
const picture = (name: string) => readPng(readFileSync(join(examples, 'classify-image', `${name}.png`)));

const images = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 1, max: 4 }),
  })
  .chain((size) =>
    fc
      .uint8Array({
        minLength: size.width * size.height * size.channels,
        maxLength: size.width * size.height * size.channels,
      })
      .map((pixels): Image => ({ ...size, pixels })),
  );

describe('readPng', () => {
  test('reads what writePng wrote', () => {
    fc.assert(fc.property(images, (image) => assert.deepEqual(readPng(writePng(image)), image)));
  });

  test('undoes every row filter', () => {
    // 2 x 5 grey pixels, one row for each filter; the expected values are worked out by hand from the specification.
    const rows = [
      [0, 10, 20],
      [1, 5, 6],
      [2, 1, 2],
      [3, 4, 4],
      [4, 1, 1],
    ];
    const pixels = [10, 20, 5, 11, 6, 13, 7, 14, 8, 15];
    const file = writePng({ width: 2, height: 5, channels: 1, pixels: Uint8Array.from(pixels) });
    assert.deepEqual([...readPng(withRows(file, rows)).pixels], pixels);
  });

  test('refuses another kind of file', () => {
    assert.throws(() => readPng(Buffer.from('GIF89a, and so on and so forth')), /not a PNG/);
  });
});

describe('textLine', () => {
  test('scales to 48 rows, brings colours to -1..1 and leaves the rest of the line at 0', () => {
    const white: Image = { width: 10, height: 10, channels: 3, pixels: new Uint8Array(300).fill(255) };
    const line = textLine(white);
    assert.equal(line.length, 3 * 48 * 192);
    assert.equal(line[0], 1);
    assert.equal(line[47], 1);
    assert.equal(line[48], 0);
  });

  test('puts blue first', () => {
    const red: Image = {
      width: 48,
      height: 48,
      channels: 3,
      pixels: Uint8Array.from({ length: 48 * 48 * 3 }, (_, i) => (i % 3 === 0 ? 255 : 0)),
    };
    const line = textLine(red);
    assert.deepEqual([line[0], line[48 * 192], line[2 * 48 * 192]], [-1, -1, 1]);
  });
});

describe('the pictures of SKEIN', () => {
  test('are told apart by the direction classifier, as is the request made from one', async (t) => {
    const repository = temporaryDirectory(t);
    prepareExampleRepository(repository);
    const session = await openSession(join(repository, 'ocr-direction', '1', 'model.onnx'));
    const upsideDown = async (pixels: Float32Array) => {
      const outputs = await session.run({ x: new Tensor('float32', pixels, [1, ...textLineShape]) });
      return Number(valuesOf(outputs, 'softmax_0.tmp_0')[1]);
    };
    assert.ok((await upsideDown(textLine(picture('upright')))) < 0.01);
    assert.ok((await upsideDown(textLine(picture('upside-down')))) > 0.99);

    const { inputs } = JSON.parse(readFileSync(join(examples, 'requests/ocr-direction.json'), 'utf8'));
    assert.ok((await upsideDown(Float32Array.from(inputs[0].data))) > 0.99);
    const binary = readFileSync(join(examples, 'requests/ocr-direction.bin'));
    assert.deepEqual(new Float32Array(new Uint8Array(binary.subarray(128)).buffer), textLine(picture('upside-down')));
    assert.equal(
      JSON.parse(binary.toString('utf8', 0, 128)).inputs[0].parameters.binary_data_size,
      binary.length - 128,
    );
  });
});

/** The same picture with other stored rows: a PNG whose IDAT holds them uncompressed by way of a fresh deflate. */
function withRows(file: Buffer, rows: readonly (readonly number[])[]): Buffer {
  const data = deflateSync(Buffer.from(rows.flat()));
  const at = file.indexOf('IDAT') - 4;
  const end = file.indexOf('IEND') - 4;
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write('IDAT', 4, 'latin1');
  data.copy(chunk, 8);
  return Buffer.concat([file.subarray(0, at), chunk, file.subarray(end)]);
}
