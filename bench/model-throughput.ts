/**
 * Rows per second of real networks through the whole of Skein, against the limit: the same engine in a loop, in a process
 * without any server, at the best of several settings. Both use all cores of the machine, in turns.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBenchModels } from '../examples/models/write-bench-models.ts';
import { startSkein } from '../test/fixtures/skein-process.ts';
import { binaryRequest, closedLoop } from './closed-loop.ts';
import type { RawSetting } from './peers/raw-engine.ts';

export interface ModelRow {
  readonly model: string;
  readonly rawRowsPerSecond: number;
  readonly rawSetting: string;
  readonly skeinRowsPerSecond: number;
  readonly connections: number;
  readonly ratio: number;
}

const settings: readonly RawSetting[] = [
  { threads: 2, batch: 1, callers: 1 },
  { threads: 1, batch: 1, callers: 2 },
  { threads: 2, batch: 4, callers: 1 },
  { threads: 1, batch: 4, callers: 2 },
];

export async function benchModels(seconds: number): Promise<ModelRow[]> {
  const repository = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  writeBenchModels(repository, ['mobilenet', 'resnet50']);
  try {
    const rows: ModelRow[] = [];
    for (const model of ['mobilenet', 'resnet50']) rows.push(await benchModel(repository, model, seconds));
    return rows;
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

async function benchModel(repository: string, model: string, seconds: number): Promise<ModelRow> {
  let raw = { rows: 0, setting: '' };
  for (const setting of settings) {
    const rows = await rawRowsPerSecond(join(repository, model, '1', 'model.onnx'), setting, seconds);
    const text = `batch ${setting.batch}, ${setting.callers} callers of ${setting.threads} threads`;
    if (rows > raw.rows) raw = { rows, setting: text };
  }
  const skein = await startSkein({ repository });
  try {
    const at = {
      port: Number(new URL(skein.http).port),
      request: binaryRequest(`/v2/models/${model}/infer`, 'input', [1, 3, 224, 224]),
    };
    await closedLoop(at, { connections: 4, seconds: 1 });
    let best = { rows: 0, connections: 0 };
    for (const connections of [2, 8, 32]) {
      const { perSecond, failed } = await closedLoop(at, { connections, seconds });
      if (failed > 0) throw new Error(`${failed} requests failed`);
      if (perSecond > best.rows) best = { rows: perSecond, connections };
    }
    return {
      model,
      rawRowsPerSecond: raw.rows,
      rawSetting: raw.setting,
      skeinRowsPerSecond: best.rows,
      connections: best.connections,
      ratio: best.rows / raw.rows,
    };
  } finally {
    await skein.stop();
  }
}

async function rawRowsPerSecond(path: string, setting: RawSetting, seconds: number): Promise<number> {
  const program = fileURLToPath(new URL('peers/raw-engine.ts', import.meta.url));
  const child = fork(program, [path, JSON.stringify(setting), String(seconds)]);
  const [rows] = (await once(child, 'message')) as [number];
  child.disconnect();
  return rows;
}
