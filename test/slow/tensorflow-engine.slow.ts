/** The TensorFlow engine on the library of the wheel `tensorflow-cpu`: what every engine keeps to, and what only it has. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GraphDefBuilder } from '../../examples/models/savedmodel-writer/graph-def.ts';
import { encodeSavedModel, writeSavedModel } from '../../examples/models/savedmodel-writer/saved-model.ts';
import type { LoadedModel } from '../../src/backends/engines/engine.ts';
import { TensorflowEngine } from '../../src/backends/engines/tensorflow/tensorflow-engine.ts';
import { SkeinError } from '../../src/protocol/errors.ts';
import { engineContract } from '../backends/engines/engine.contract.ts';
import { bytesOf, encodeStrings, floatsOf, floatsTensor, tensor } from '../backends/engines/test-tensors.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import {
  writeFrozenSums,
  writeIdentitySavedModel,
  writeMultiSignatureSavedModel,
  writeSlowSavedModel,
  writeSumsSavedModel,
} from '../fixtures/saved-models.ts';
import { tensorflowLibrary } from '../fixtures/tensorflow-library.ts';

type Owner = { after(hook: () => unknown): void };

const devices = { intraOpThreads: 1, visibleGpus: '', gpuGrowth: true, gpuMemoryBytes: 0 };
const warnings: Record<string, unknown>[] = [];
const engine = new TensorflowEngine({
  ...devices,
  library: tensorflowLibrary(),
  allowFiles: false,
  warn: (_message, facts) => warnings.push(facts),
});

function written(directory: string, write: (directory: string) => void): string {
  const path = join(directory, 'model.savedmodel');
  write(path);
  return path;
}

engineContract('TensorFlow', () => ({
  engine,
  identity: (directory, datatype) => written(directory, (path) => writeIdentitySavedModel(path, datatype)),
  sums: (directory) => written(directory, writeSumsSavedModel),
  slow: (directory) => written(directory, (path) => writeSlowSavedModel(path)),
  damaged: (directory) => {
    const path = join(directory, 'model.savedmodel');
    mkdirSync(path);
    writeFileSync(join(path, 'saved_model.pb'), 'this is no model');
    return path;
  },
}));

function loadPath(path: string, parameters: Record<string, string> = {}): Promise<LoadedModel> {
  return engine.load({ model: 'm', version: 1, path }, { threads: 1, parameters }, new AbortController().signal);
}

async function load(owner: Owner, path: string, parameters?: Record<string, string>): Promise<LoadedModel> {
  const model = await loadPath(path, parameters);
  owner.after(() => model.unload());
  return model;
}

async function refusal(path: string, parameters?: Record<string, string>): Promise<SkeinError> {
  try {
    await loadPath(path, parameters);
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    return fault;
  }
  return assert.fail('it was loaded');
}

describe('SavedModels', () => {
  test('have all their signatures, each with its method', async (t) => {
    const model = await load(t, written(temporaryDirectory(t), writeMultiSignatureSavedModel));
    assert.deepEqual(
      [...model.signatures.values()].map(({ name, method }) => [name, method]),
      [
        ['add_three', 'predict'],
        ['regress_x_to_y', 'regress'],
        ['serving_default', 'predict'],
        ['strings', 'predict'],
      ],
    );
    const [two] = await model.run('serving_default', [floatsTensor('x', [2], [1, 2])], ['y']);
    const [three] = await model.run('add_three', [floatsTensor('x', [2], [1, 2])], ['y']);
    assert.deepEqual(
      [floatsOf(two), floatsOf(three)],
      [
        [2.5, 3],
        [3.5, 4],
      ],
    );
    const texts = (name: string, ...all: string[]) =>
      tensor(name, 'BYTES', [all.length], encodeStrings(all.map((text) => Buffer.from(text))));
    const inputs = [texts('left', 'good', 'a\0b'), texts('right', 'morning', 'ü'.repeat(40))];
    const [joined] = await model.run('strings', inputs, ['joined']);
    const expected = encodeStrings([Buffer.from('good morning'), Buffer.from(`a\0b ${'ü'.repeat(40)}`)]);
    assert.equal(bytesOf(joined!).toString('hex'), expected.toString('hex'));
  });

  test("lie in a version's directory as TensorFlow Serving has them, too", async (t) => {
    const directory = temporaryDirectory(t);
    writeSumsSavedModel(directory);
    const model = await load(t, join(directory, 'saved_model.pb'));
    assert.deepEqual(floatsOf((await model.run('serving_default', [floatsTensor('x', [1], [1])], ['y2']))[0]), [3]);
  });

  test('are found by their tags', async (t) => {
    const path = written(temporaryDirectory(t), (directory) => {
      const graph = new GraphDefBuilder();
      const x = graph.placeholder('x', 'float', [-1]);
      writeSavedModel(
        directory,
        graph,
        { serving_default: { inputs: { x: number(x) }, outputs: { y: number(x) } } },
        { tags: ['serve', 'gpu'] },
      );
    });
    await load(t, path, { TF_GRAPH_TAG: 'gpu,serve' });
    const { message, code } = await refusal(path);
    assert.equal(code, 'config_mismatch');
    assert.match(message, /no graph of the tags 'serve'; it has 'serve,gpu'/);
  });
});

describe('frozen graphs', () => {
  test('have their placeholders as inputs and what nobody uses as outputs', async (t) => {
    const path = join(temporaryDirectory(t), 'model.graphdef');
    writeFrozenSums(path);
    const model = await load(t, path);
    const { inputs, outputs } = model.signatures.get('serving_default')!;
    assert.deepEqual(
      [inputs, outputs.map(({ name }) => name)],
      [[{ name: 'x', datatype: 'FP32', shape: [-1] }], ['sum0', 'sum1', 'sum2']],
    );
    assert.deepEqual(floatsOf((await model.run('serving_default', [floatsTensor('x', [1], [4])], ['sum2']))[0]), [6]);
  });
});

describe('settings for GPUs', () => {
  // Pools and devices are made with the first session of a process: the settings count in one of their own.
  test('have no effect where the library has no CUDA or the machine no GPU', (t) => {
    const path = written(temporaryDirectory(t), writeSumsSavedModel);
    const program = join(import.meta.dirname, '../fixtures/run-sums-with-gpu-settings.ts');
    const answer = execFileSync(process.execPath, ['--expose-gc', program, tensorflowLibrary(), path]);
    assert.deepEqual(JSON.parse(answer.toString()), [3, 4]);
  });
});

describe('what cannot be loaded', () => {
  test('is refused by name where its graph opens files', async (t) => {
    const directory = temporaryDirectory(t);
    const write = (op: string) => {
      const graph = new GraphDefBuilder();
      const name = graph.placeholder('name', 'string', []);
      graph.node(op, [name], {}, 'content');
      const path = join(directory, op);
      writeSavedModel(path, graph, {
        serving_default: {
          inputs: { name: { tensor: 'name:0', type: 'string', shape: [] } },
          outputs: { content: { tensor: 'content:0', type: 'string', shape: [] } },
        },
      });
      return path;
    };
    const { code, message } = await refusal(write('ReadFile'));
    assert.equal(code, 'graph_opens_files');
    assert.match(message, /ReadFile \(node 'content'\) reads files/);
    assert.match((await refusal(write('MatchingFiles'))).message, /MatchingFiles/);
  });

  test('is told from what is sound where it is cut short', async (t) => {
    const directory = temporaryDirectory(t);
    const { graph, signature } = { graph: new GraphDefBuilder(), signature: {} };
    const whole = encodeSavedModel(graph, signature);
    const path = join(directory, 'cut');
    mkdirSync(path);
    writeFileSync(join(path, 'saved_model.pb'), whole);
    truncateSync(join(path, 'saved_model.pb'), whole.length - 3);
    const { code, message } = await refusal(path);
    assert.deepEqual([code, /damaged/.test(message)], ['load_failed', true], message);
  });

  test('names the operation that this TensorFlow does not have', async (t) => {
    const path = written(temporaryDirectory(t), (directory) => {
      const graph = new GraphDefBuilder();
      graph.node('MyOwnOperation', [graph.placeholder('x', 'float', [-1])], {}, 'y');
      writeSavedModel(directory, graph, {
        serving_default: { inputs: { x: number('x') }, outputs: { y: number('y') } },
      });
    });
    const { code, message } = await refusal(path);
    assert.equal(code, 'load_failed');
    assert.match(message, /TensorFlow 2\.\d+\.\d+ has no operation 'MyOwnOperation'/);
  });

  test('says that no signature is there, or none that can be served', async (t) => {
    const directory = temporaryDirectory(t);
    writeSavedModel(join(directory, 'none'), new GraphDefBuilder(), {});
    assert.match((await refusal(join(directory, 'none'))).message, /no signature that can be served \(it has none\)/);
    writeSavedModel(join(directory, 'lost'), new GraphDefBuilder(), {
      serving_default: { inputs: { x: number('nowhere') }, outputs: {} },
    });
    const { code, message } = await refusal(join(directory, 'lost'));
    assert.equal(code, 'load_failed');
    assert.match(message, /input 'x' is 'nowhere:0', which the graph does not have/);
  });

  test('says which file is missing', async (t) => {
    const directory = temporaryDirectory(t);
    mkdirSync(join(directory, 'empty'));
    assert.equal((await refusal(join(directory, 'empty'))).code, 'load_failed');
    cpSync(join(directory, 'empty'), join(directory, 'other'), { recursive: true });
  });
});

function number(tensorName: string) {
  const tensor = tensorName.includes(':') ? tensorName : `${tensorName}:0`;
  return { tensor, type: 'float', shape: [-1] } as const;
}
