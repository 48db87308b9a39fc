/** Tensors by hand, for the tests of engines. */
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';

export function tensor(name: string, datatype: Datatype, shape: readonly number[], bytes: Uint8Array): Tensor {
  return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
}

export function floatsTensor(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return tensor(name, 'FP32', shape, new Uint8Array(Float32Array.from(values).buffer));
}

export function bytesOf({ parts }: Tensor): Buffer {
  return Buffer.concat(parts);
}

export function floatsOf(output: Tensor | undefined): number[] {
  const bytes = bytesOf(output!);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** V2's form of strings: each with its length before it. */
export function encodeStrings(texts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.byteLength);
      return [length, text];
    }),
  );
}

/** Collects now, and again and again while `work` is under way. */
export async function whileCollecting<T>(work: Promise<T>): Promise<T> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}
