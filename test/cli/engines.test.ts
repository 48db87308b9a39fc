import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { probeProviders } from '../../src/cli/engines.ts';
import { enginesText } from '../../src/cli/verbs/engines.ts';

const root = join(import.meta.dirname, '../..');

describe('probeProviders', () => {
  test('counts a provider as missing where its own library is not beside the runtime', () => {
    const builtIn = ['CUDAExecutionProvider', 'TensorrtExecutionProvider', 'CPUExecutionProvider'];
    const probes = probeProviders(builtIn, (file) => file === 'libonnxruntime_providers_cuda.so');
    const installed = probes.filter((provider) => provider.isInstalled).map((provider) => provider.name);
    assert.deepEqual(installed, ['cpu', 'cuda']);
  });

  test('says for every missing provider how to get it', () => {
    for (const { name, isInstalled, note } of probeProviders(['CPUExecutionProvider'], () => false)) {
      if (name === 'cpu') assert.ok(isInstalled);
      else assert.match(note, /not in this build; name a build .* SKEIN_ONNXRUNTIME_LIB/);
    }
  });
});

describe('enginesText', () => {
  test('prints what is wrong with a runtime that cannot be opened', () => {
    const engine = {
      kind: 'onnx',
      name: 'ONNX Runtime',
      found: undefined,
      problem: 'ONNX Runtime cannot be used: gone',
    } as const;
    assert.equal(enginesText([engine]), 'onnx: ONNX Runtime cannot be used: gone\n');
  });
});

describe('skein engines', () => {
  // In a process of its own: a runtime that was opened stays.
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [join(root, 'skein'), 'engines', ...args]);

  test('finds the runtime that npm installed, through the launcher', async () => {
    const { stdout } = await run('--json');
    const [{ kind, found }, tensorflow] = JSON.parse(stdout);
    assert.equal(tensorflow.kind, 'tensorflow');
    assert.ok(tensorflow.found !== undefined || /--tensorflow-lib/.test(tensorflow.problem), tensorflow.problem);
    assert.equal(kind, 'onnx');
    assert.match(found.version, /^1\.\d+\.\d+/);
    assert.ok(
      found.providers.some(
        (provider: { name: string; isInstalled: boolean }) => provider.name === 'cpu' && provider.isInstalled,
      ),
    );
  });

  test('says what is wrong with a TensorFlow that is named, and goes on', async () => {
    const { stdout } = await run('--tensorflow-lib', root);
    assert.match(stdout, /^onnx: ONNX Runtime 1/);
    assert.match(stdout, /tensorflow: TensorFlow cannot be used: SKEIN_TENSORFLOW_LIB names the folder/);
  });

  test('exits with 1 where the named library is not there, and says who named it', async () => {
    await assert.rejects(run('--onnxruntime-lib', '/nowhere/libonnxruntime.so'), ({ code, stdout }) => {
      assert.equal(code, 1);
      assert.match(stdout, /names '\/nowhere\/libonnxruntime\.so', which is not there/);
      return true;
    });
  });
});
