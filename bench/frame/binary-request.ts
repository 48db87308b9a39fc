import type { WireRequest } from '../../src/cli/bench/lane.ts';

/** A V2 request with one FP32 input of zeros in binary form, as bytes on the wire. */
export function binaryRequest(model: string, shape: readonly number[]): WireRequest {
  const tensor = Buffer.alloc(4 * shape.reduce((product, size) => product * size, 1));
  const json = JSON.stringify({
    inputs: [{ name: 'input', datatype: 'FP32', shape, parameters: { binary_data_size: tensor.length } }],
    parameters: { binary_data_output: true },
  });
  const head = [
    `POST /v2/models/${model}/infer HTTP/1.1`,
    'Host: bench',
    'Content-Type: application/octet-stream',
    `Inference-Header-Content-Length: ${json.length}`,
    `Content-Length: ${json.length + tensor.length}`,
  ];
  return [Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n${json}`), tensor])];
}

/** 602,112 bytes. */
export const imageShape = [1, 3, 224, 224] as const;
export const smallShape = [1, 16] as const;
