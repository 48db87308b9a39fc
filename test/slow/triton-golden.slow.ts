/**
 * Replays, byte for byte, the requests whose answers were recorded from Triton 24.10, and compares what Skein answers:
 * statuses, bodies, and what becomes of the connection. Deliberate differences are in fixtures/triton/differences.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { exchange } from '../fixtures/raw-http.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { mismatches } from '../fixtures/triton/compare.ts';
import { expectedOf } from '../fixtures/triton/differences.ts';
import { recordedCases, recordedGroups } from '../fixtures/triton/recording.ts';
import { writeTritonRepository } from '../fixtures/triton-models.ts';

/** Loaded when the recording began. */
const loadedModels = [
  ...['auto_bytes', 'auto_id_float16', 'auto_resnet50', 'identity_fp32', 'labels', 'mobilenet', 'multi_version'],
  ...['id_bool', 'id_double', 'id_float16', 'id_int64', 'id_int8', 'id_string', 'id_uint8', 'resnet50'],
  ...['simple', 'simple_identity', 'simple_int8', 'simple_string'],
];

describe('Skein answers as Triton 24.10 did', () => {
  let skein: SkeinProcess;

  before(async () => {
    const repository = temporaryDirectory({ after: (hook) => after(hook) });
    writeTritonRepository(repository);
    skein = await startSkein({ repository });
    for (const model of loadedModels) {
      const loaded = await fetch(`${skein.http}/v2/repository/models/${model}/load`, { method: 'POST' });
      assert.equal(loaded.status, 200, `${model}: ${await loaded.text()}`);
    }
  });
  after(() => skein?.kill());

  for (const group of recordedGroups) {
    describe(group, () => {
      for (const recorded of recordedCases(group)) {
        const { expected, reasons } = expectedOf(recorded);
        test(reasons.length === 0 ? recorded.id : `${recorded.id} (${reasons.join(', ')})`, async () => {
          const found = mismatches(await exchange(skein.http, recorded.request), expected);
          assert.deepEqual(found, [], found.join('\n  '));
        });
      }
    });
  }
});
