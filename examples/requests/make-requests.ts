/**
 * node examples/requests/make-requests.ts: writes the request bodies beside it, for curl.
 *
 *   curl -d @examples/requests/ocr-direction.json http://127.0.0.1:8000/v2/models/ocr-direction/infer
 *   curl --data-binary @examples/requests/ocr-direction.bin -H 'Inference-Header-Content-Length: 128' \
 *     http://127.0.0.1:8000/v2/models/ocr-direction/infer
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPng } from '../classify-image/png.ts';
import { textLine, textLineShape } from '../classify-image/text-line.ts';

/** The JSON of the binary body is padded with spaces to this, so that the header in the documentation can be relied on. */
const headerBytes = 128;

function write(file: string, body: object | Buffer): void {
  writeFileSync(join(import.meta.dirname, file), body instanceof Buffer ? body : `${JSON.stringify(body)}\n`);
}

const picture = readPng(readFileSync(join(import.meta.dirname, '../classify-image/upside-down.png')));
const pixels = textLine(picture);
const x = { name: 'x', datatype: 'FP32', shape: [1, ...textLineShape] };

// Two decimals are finer than the steps of 8-bit pixels need, and keep the file small.
const rounded = Array.from(pixels, (value) => Math.round(value * 100) / 100);
write('ocr-direction.json', { inputs: [{ ...x, data: rounded }] });

const header = JSON.stringify({ inputs: [{ ...x, parameters: { binary_data_size: pixels.byteLength } }] });
write('ocr-direction.bin', Buffer.concat([Buffer.from(header.padEnd(headerBytes)), Buffer.from(pixels.buffer)]));

const upTo16 = Array.from({ length: 16 }, (_, i) => i);
write('add-sub.json', {
  inputs: [
    { name: 'INPUT0', datatype: 'INT32', shape: [1, 16], data: upTo16 },
    { name: 'INPUT1', datatype: 'INT32', shape: [1, 16], data: upTo16.map(() => 1) },
  ],
});

// 36 ms of a tone of 440 Hz at 16,000 samples a second: sound, but nobody speaks.
const tone = Array.from(
  { length: 576 },
  (_, i) => Math.round(1000 * 0.3 * Math.sin((2 * Math.PI * 440 * i) / 16_000)) / 1000,
);
write('silero-vad.json', {
  inputs: [
    { name: 'input', datatype: 'FP32', shape: [1, 576], data: tone },
    { name: 'state', datatype: 'FP32', shape: [2, 1, 128], data: new Array<number>(256).fill(0) },
    { name: 'sr', datatype: 'INT64', shape: [], data: [16_000] },
  ],
});
