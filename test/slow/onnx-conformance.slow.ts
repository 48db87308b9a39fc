/**
 * The ONNX project's own test models through the whole server: what ONNX Runtime itself answers as ONNX expects, Skein
 * answers so too, over HTTP; what it cannot serve it refuses by name, and goes on serving the others.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { type ConformanceCase, conformanceCases } from './onnx-conformance/conformance-case.ts';
import { verdictOverHttp } from './onnx-conformance/over-http.ts';
import { referenceVerdict } from './onnx-conformance/reference.ts';
import { conformancePage, type Judged } from './onnx-conformance/report.ts';

const page = join(import.meta.dirname, '../../docs/reference/onnx-conformance.md');
/** Requests at once: enough to keep two cores busy while models load. */
const lanes = 4;

describe('the conformance models of ONNX', () => {
  let skein: SkeinProcess;
  let judged: readonly Judged[];

  after(() => skein?.kill());
  const repository = temporaryDirectory({ after });
  before(async () => {
    const script = join(import.meta.dirname, 'fetch-onnx-testdata.sh');
    const cases = conformanceCases(execFileSync(script, { encoding: 'utf8' }).trim());
    for (const one of cases) place(repository, one);
    skein = await startSkein({ repository });
    judged = await judge(skein, cases);
    mkdirSync(join(page, '..'), { recursive: true });
    writeFileSync(page, conformancePage(judged));
  });

  test('are all there', () => {
    assert.equal(judged.length, 1072);
    assert.ok(judged.filter(({ runtime }) => runtime.kind === 'passes').length >= 964);
  });

  test('are answered as expected wherever ONNX Runtime does and all inputs and outputs are tensors', () => {
    const worse = judged.filter(({ runtime, skein: { kind } }) => runtime.kind === 'passes' && kind !== 'passes');
    assert.deepEqual(
      worse.map(({ of, skein: seen }) => ({ model: of.name, ...seen })),
      [],
    );
  });

  test('are refused, with a reason and never as a fault of the server, where they speak of no tensors', () => {
    const strange = judged.filter(({ runtime }) => runtime.kind === 'no tensors');
    const wrong = strange.filter(({ skein: seen }) => seen.kind !== 'refused' || !/input|output/.test(seen.why));
    assert.deepEqual(
      wrong.map(({ of, skein: seen }) => ({ model: of.name, ...seen })),
      [],
    );
  });

  test('lead to no internal error and no answer without a text', () => {
    const wrong = judged.filter(
      ({ skein: seen }) => seen.kind === 'refused' && (seen.status === 500 || seen.why === ''),
    );
    assert.deepEqual(
      wrong.map(({ of, skein: seen }) => ({ model: of.name, ...seen })),
      [],
    );
  });

  test('leave the server ready', async () => {
    assert.equal((await fetch(`${skein.http}/v2/health/ready`)).status, 200);
  });
});

async function judge(skein: SkeinProcess, cases: readonly ConformanceCase[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  const waiting = cases.entries();
  // One iterator shared by all lanes: each takes the next case when it is done with its last.
  const lane = async () => {
    for (const [i, of] of waiting) {
      judged[i] = { of, runtime: await referenceVerdict(of), skein: await verdictOverHttp(skein, of) };
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return judged;
}

function place(repository: string, { name, modelFile }: ConformanceCase): void {
  mkdirSync(join(repository, name, '1'), { recursive: true });
  try {
    linkSync(modelFile, join(repository, name, '1', 'model.onnx'));
  } catch {
    symlinkSync(modelFile, join(repository, name, '1', 'model.onnx')); // another file system
  }
}
