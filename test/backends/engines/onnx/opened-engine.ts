/** ONNX Runtime, opened once for a test file, and models loaded from bytes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LoadedModel } from '../../../../src/backends/engines/engine.ts';
import { openRuntime } from '../../../../src/backends/engines/onnx/environment.ts';
import type { GraphCache } from '../../../../src/backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../../../../src/backends/engines/onnx/onnx-engine.ts';
import { cpuProvider } from '../../../../src/backends/engines/onnx/providers.ts';
import { ModelDigests } from '../../../../src/fleet/repository/digest.ts';
import type { Datatype } from '../../../../src/protocol/tensors/datatype.ts';
import type { Tensor } from '../../../../src/protocol/tensors/tensor.ts';

export const runtime = openRuntime(undefined);

export interface TestEngine {
  readonly engine: OnnxEngine;
  /** What it warned of: message and facts. */
  readonly warnings: { readonly message: string; readonly facts: Record<string, unknown> }[];
}

export function testEngine(cache?: GraphCache): TestEngine {
  const warnings: TestEngine['warnings'] = [];
  const digests = new ModelDigests();
  const engine = new OnnxEngine(runtime, {
    provider: cpuProvider,
    fallback: 'refuse',
    cache,
    digest: (path) => digests.digest(path),
    warn: (message, facts) => warnings.push({ message, facts }),
  });
  return { engine, warnings };
}

export function loadModel(
  { engine }: TestEngine,
  path: string,
  { threads = 1, signal = new AbortController().signal }: { threads?: number; signal?: AbortSignal } = {},
): Promise<LoadedModel> {
  return engine.load({ model: 'm', version: 1, path }, { threads, parameters: {} }, signal);
}

let written = 0;

/** Writes `bytes` into a directory of its own below `directory`; returns the file's path. */
export function writeModel(directory: string, bytes: Uint8Array, name = 'model.onnx'): string {
  written += 1;
  const path = join(directory, String(written), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

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
