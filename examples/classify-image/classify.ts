/**
 * node examples/classify-image/classify.ts [PICTURE.png …]
 *
 * Asks the served model `ocr-direction` which way up a picture of a line of text is. SKEIN_URL names another server than
 * the one on this machine.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPng } from './png.ts';
import { textLine, textLineShape } from './text-line.ts';

const url = process.env['SKEIN_URL'] ?? 'http://127.0.0.1:8000';
const given = process.argv.slice(2);
const pictures =
  given.length > 0 ? given : ['upright.png', 'upside-down.png'].map((file) => join(import.meta.dirname, file));

for (const picture of pictures) {
  const pixels = textLine(readPng(readFileSync(picture)));
  const parameters = { binary_data_size: pixels.byteLength };
  const header = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...textLineShape], parameters }],
  });
  const response = await fetch(`${url}/v2/models/ocr-direction/infer`, {
    method: 'POST',
    headers: { 'inference-header-content-length': String(Buffer.byteLength(header)) },
    body: Buffer.concat([Buffer.from(header), Buffer.from(pixels.buffer)]),
  });
  if (!response.ok) throw new Error(await response.text());
  const { outputs } = (await response.json()) as { outputs: [{ data: [number, number] }] };
  const [upright, upsideDown] = outputs[0].data;
  const verdict = upright > upsideDown ? 'upright' : 'upside down';
  process.stdout.write(`${picture}: ${verdict} (${(100 * Math.max(upright, upsideDown)).toFixed(2)} %)\n`);
}
