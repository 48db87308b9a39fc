import type { WireRequest } from '../../src/cli/bench/lane.ts';
import { seededRandom } from '../../src/cli/bench/random.ts';

/** A V2 request with one FP32 input of random numbers of `digits` digits as JSON, as bytes on the wire. */
export function jsonRequest(model: string, shape: readonly number[], digits = 4): WireRequest {
  const random = seededRandom(1);
  const scale = 10 ** digits;
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Array.from({ length: count }, () => Math.floor(random() * scale) / scale);
  const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape, data }] });
  const head = [
    `POST /v2/models/${model}/infer HTTP/1.1`,
    'Host: bench',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return [Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)];
}
