/** ONNX Runtime, opened once for a test file, and models loaded from bytes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LoadedModel } from '../../../../src/backends/engines/engine.ts';
import { openRuntime } from '../../../../src/backends/engines/onnx/environment.ts';
import type { GraphCache } from '../../../../src/backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../../../../src/backends/engines/onnx/onnx-engine.ts';
import { cpuProvider } from '../../../../src/backends/engines/onnx/providers.ts';
import { ModelDigests } from '../../../../src/fleet/repository/digest.ts';

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
