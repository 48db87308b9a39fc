/**
 * Triton's own Python client, unmodified, against Skein: tritonclient_suite.py does the asking, in a virtual environment
 * that is made once. And the Python half of the example that classifies an image.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { prepareExampleRepository } from '../../examples/models/prepare.ts';
import { writeCornerShapes, writeIdentityModels } from '../fixtures/identity-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { pythonPrograms } from '../fixtures/python-environment.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeTritonRepository } from '../fixtures/triton-models.ts';

const root = join(import.meta.dirname, '../..');
const requirements = join(import.meta.dirname, 'tritonclient-requirements.txt');
const run = promisify(execFile);

describe("Triton's Python client", () => {
  let skein: SkeinProcess;
  let python: string;

  after(() => skein?.kill());
  const repository = temporaryDirectory({ after });
  before(async () => {
    python = join(pythonPrograms(requirements), 'python');
    writeTritonRepository(repository);
    writeIdentityModels(repository);
    writeCornerShapes(repository);
    prepareExampleRepository(repository);
    skein = await startSkein({ repository });
  });

  test('does all it can do', async (t) => {
    const suite = join(import.meta.dirname, 'tritonclient_suite.py');
    const { stdout } = await run(python, [suite, hostOf(skein), repository], { maxBuffer: 16 * 2 ** 20 }).catch(
      (failed: { stdout: string; stderr: string }) => failed,
    );
    const results: { test: string; failure: string | null }[] = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    for (const { test: name, failure } of results) {
      await t.test(name, () => assert.equal(failure, null, failure ?? ''));
    }
    assert.ok(results.length >= 33, `only ${results.length} tests ran; the rest of the output: ${stdout.slice(-500)}`);
  });

  test('tells which way up the example pictures are', async () => {
    const script = join(root, 'examples/classify-image/classify.py');
    const { stdout } = await run(python, [script], { env: { ...process.env, SKEIN_URL: hostOf(skein) } });
    const [upright, upsideDown] = stdout.trim().split('\n');
    assert.match(upright ?? '', /upright\.png: upright \((100|9\d)\.\d\d %\)$/);
    assert.match(upsideDown ?? '', /upside-down\.png: upside down \((100|9\d)\.\d\d %\)$/);
  });
});

const hostOf = ({ http }: SkeinProcess) => new URL(http).host;
