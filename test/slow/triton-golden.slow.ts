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
import { type RecordedGroup, recordedCases, recordedGroups } from '../fixtures/triton/recording.ts';
import { writeTritonRepository } from '../fixtures/triton-models.ts';

/** Loaded when the recording began. */
const loadedModels = [
  ...['auto_bytes', 'auto_id_float16', 'auto_resnet50', 'identity_fp32', 'labels', 'mobilenet', 'multi_version'],
  ...['id_bool', 'id_double', 'id_float16', 'id_int64', 'id_int8', 'id_string', 'id_uint8', 'resnet50'],
  ...['simple', 'simple_identity', 'simple_int8', 'simple_string'],
];

/** Groups that were recorded after somebody had tried to load the broken model. */
const afterFailedLoad: readonly RecordedGroup[] = ['metadata', 'infer-errors'];

for (const group of recordedGroups) {
  describe(`Skein answers as Triton 24.10 did: ${group}`, () => {
    let skein: SkeinProcess;

    after(() => skein?.kill());
    const repository = temporaryDirectory({ after });
    before(async () => {
      writeTritonRepository(repository);
      skein = await startSkein({ repository });
      for (const model of loadedModels) assert.equal((await load(skein, model)).status, 200, model);
      if (afterFailedLoad.includes(group)) assert.equal((await load(skein, 'bad_model')).status, 400);
    });

    // In order: what one request loads or unloads, the next ones see.
    for (const recorded of recordedCases(group)) {
      const { expected, reasons, withoutRow } = expectedOf(recorded);
      test(reasons.length === 0 ? recorded.id : `${recorded.id} (${reasons.join(', ')})`, async () => {
        const seen = await exchange(skein.http, recorded.request);
        const found = mismatches(seen, expected);
        assert.deepEqual(found, [], found.join('\n  '));
        const needless = withoutRow !== undefined && mismatches(seen, withoutRow).length === 0;
        assert.ok(!needless, 'the answer is as recorded: its row in differences.ts is not needed any more');
      });
    }
  });
}

function load({ http }: SkeinProcess, model: string): Promise<Response> {
  return fetch(`${http}/v2/repository/models/${model}/load`, { method: 'POST' });
}
