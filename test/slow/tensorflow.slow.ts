/** SavedModels beside ONNX models behind one endpoint, with the library of the wheel `tensorflow-cpu`. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ProtoMessage } from '../../examples/models/onnx-writer/wire.ts';
import { GraphDefBuilder } from '../../examples/models/savedmodel-writer/graph-def.ts';
import { writeSavedModel } from '../../examples/models/savedmodel-writer/saved-model.ts';
import { writeTensorflowMobileNetV2 } from '../../examples/models/tensorflow-mobilenet-v2.ts';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { findRuntimeLibrary } from '../../src/backends/engines/onnx/runtime-library.ts';
import { showFigures } from '../fixtures/figures.ts';
import { backendPids, fleetOf, modelOf, unload, until } from '../fixtures/fleet-client.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { savedModelPath, writeHalfPlusTwo, writeMultiSignatureSavedModel } from '../fixtures/saved-models.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { tensorflowLibrary } from '../fixtures/tensorflow-library.ts';
import { tfRecords } from '../fixtures/tf-records.ts';
import { closedLoop } from '../fixtures/traffic/closed-loop.ts';
import { binaryRequest, floatTensor } from '../fixtures/traffic/infer-request.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';
import { inferBinary } from '../fixtures/v2-client.ts';

const withTensorflow = { SKEIN_TENSORFLOW_LIB: tensorflowLibrary() };

interface JsonAnswer {
  readonly status: number;
  readonly error: string;
  readonly data: readonly unknown[];
}

async function inferJson(http: string, model: string, request: unknown): Promise<JsonAnswer> {
  const answer = await fetch(`${http}/v2/models/${model}/infer`, { method: 'POST', body: JSON.stringify(request) });
  const body = (await answer.json()) as { error?: string; outputs?: { data: unknown[] }[] };
  return { status: answer.status, error: body.error ?? '', data: body.outputs?.[0]?.data ?? [] };
}

/** TensorFlow Serving's REST, one row, by row (`instances`) or by column (`inputs`). */
async function predict(http: string, model: string, request: unknown): Promise<Float32Array> {
  const answer = await fetch(`${http}/v1/models/${model}:predict`, { method: 'POST', body: JSON.stringify(request) });
  const body = (await answer.json()) as { error?: string; outputs?: number[][]; predictions?: number[][] };
  assert.equal(answer.status, 200, body.error);
  return Float32Array.from((body.outputs ?? body.predictions)![0]!);
}

/** Lists in lists, as V1 has tensors. */
function nested(values: readonly number[], [size, ...rest]: readonly number[]): unknown {
  if (rest.length === 0) return values;
  const step = values.length / size!;
  return Array.from({ length: size! }, (_, i) => nested(values.slice(i * step, (i + 1) * step), rest));
}

const halfPlusTwo = (http: string, model = 'half_plus_two') =>
  inferJson(http, model, { inputs: [{ name: 'x', shape: [3, 1], datatype: 'FP32', data: [1, 2, 5] }] });

const identity = (http: string) =>
  inferJson(http, 'identity', {
    inputs: [{ name: 'input', shape: [1, 16], datatype: 'FP32', data: Array(16).fill(1) }],
  });

describe('a server with TensorFlow', () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;

  after(() => skein?.kill());
  before(async () => {
    writeBenchModels(repository, ['identity', 'mobilenet']);
    writeHalfPlusTwo(savedModelPath(repository, 'half_plus_two'));
    writeHalfPlusTwo(join(repository, 'serving_layout/00000123'));
    writeMultiSignatureSavedModel(savedModelPath(repository, 'multi'));
    writeTensorflowMobileNetV2(savedModelPath(repository, 'tf_mobilenet'));
    writeBroken(repository);
    writeWarmed(repository, 'warmed', 'x');
    writeWarmed(repository, 'warmed_wrongly', 'no_such_input');
    skein = await startSkein({ repository, args: ['--engine-idle', '2s', '--cores', '2'], env: withTensorflow });
  });

  test('starts its process with the first SavedModel that is wanted, and ends it after the last', async () => {
    assert.equal((await identity(skein.http)).status, 200);
    assert.equal((await backendPids(skein.http)).has('t1'), false);
    assert.deepEqual((await halfPlusTwo(skein.http)).data, [2.5, 3, 4.5]);
    const pid = (await backendPids(skein.http)).get('t1')!;
    await unload(skein.http, 'half_plus_two');
    await until('its end', 20_000, () => !processTree(skein.pid).some((member) => member.pid === pid) || undefined);
    assert.deepEqual((await fleetOf(skein.http)).backends.map(({ id }) => id).sort(), ['b1', 'b2']);
    const { status } = await fetch(`${skein.http}/v2/repository/models/half_plus_two/load`, { method: 'POST' });
    assert.equal(status, 200);
    assert.deepEqual((await halfPlusTwo(skein.http)).data, [2.5, 3, 4.5]);
    assert.notEqual((await backendPids(skein.http)).get('t1'), pid);
  });

  test("serves TensorFlow Serving's layout, and every signature by its name", async () => {
    assert.deepEqual((await halfPlusTwo(skein.http, 'serving_layout')).data, [2.5, 3, 4.5]);
    const named = (signature_name: string, inputs: readonly unknown[]) =>
      inferJson(skein.http, 'multi', { parameters: { signature_name }, inputs });
    const x = { name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] };
    assert.deepEqual((await named('add_three', [x])).data, [3.5]);
    const text = (name: string, data: string) => ({ name, shape: [1, 1], datatype: 'BYTES', data: [data] });
    assert.deepEqual((await named('strings', [text('left', 'good'), text('right', 'day')])).data, ['good day']);
    const { status, error } = await named('nowhere', [x]);
    assert.equal(status, 400);
    assert.match(error, /signature 'nowhere' is not found in model 'multi', whose signatures are 'add_three'/);
  });

  test('joins requests for a SavedModel into batches', async () => {
    const statistics = async (): Promise<number[]> => {
      const answer = await fetch(`${skein.http}/v2/models/half_plus_two/stats`);
      const { model_stats } = (await answer.json()) as { model_stats: { batch_stats: { batch_size: number }[] }[] };
      return model_stats[0]!.batch_stats.map(({ batch_size }) => batch_size);
    };
    const one = { name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] };
    const joined = async () => {
      const answers = Array.from({ length: 64 }, () => inferJson(skein.http, 'half_plus_two', { inputs: [one] }));
      for (const { data } of await Promise.all(answers)) assert.deepEqual(data, [2.5]);
      // The requests of three rows that other tests send run by themselves.
      return (await statistics()).some((rows) => rows === 2 || rows === 4) || undefined;
    };
    await until('a run of several requests', 20_000, joined);
  });

  test('gives the same answers from the same weights in both formats, through every protocol', async (t) => {
    const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * 0.37));
    const last = channelsLast(pixels, 3, 224 * 224);
    const ask = async (model: string, shape: readonly number[], values: Float32Array): Promise<Float32Array[]> => {
      const bytes = new Uint8Array(values.buffer);
      const binary = await inferBinary(skein.http, model, [{ name: 'input', datatype: 'FP32', shape, bytes }]);
      if (!('outputs' in binary)) return assert.fail(binary.error);
      const input = { name: 'input', datatype: 'FP32', shape, data: [...values] };
      const json = await inferJson(skein.http, model, { inputs: [input] });
      assert.equal(json.status, 200, json.error);
      const raw = Buffer.from(binary.outputs[0]!.bytes);
      return [
        new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4),
        Float32Array.from(json.data as number[]),
        ...(await Promise.all([
          predict(skein.http, model, { inputs: nested([...values], shape) }),
          predict(skein.http, model, { instances: nested([...values], shape) }),
        ])),
      ];
    };
    const answers = [
      ...(await ask('mobilenet', [1, 3, 224, 224], pixels)),
      ...(await ask('tf_mobilenet', [1, 224, 224, 3], last)),
    ];
    const [reference, ...others] = answers;
    assert.equal(answers.length, 8);
    for (const { length } of answers) assert.equal(length, 1000);
    const spread = Math.max(...reference!) - Math.min(...reference!);
    const off = others.map((other) => Math.max(...other.map((value, i) => Math.abs(value - reference![i]!))));
    showFigures(t, { spread, 'largest difference': Math.max(...off) });
    assert.ok(spread > 0.01, 'the answers are all alike');
    assert.ok(Math.max(...off) < 1e-4, `${off}`);
  });

  test('divides the cores between the engines while both are busy, and gives them all to one that is busy alone', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const keepBusy = async (model: string, shape: readonly number[], untilIt: () => Promise<unknown>) => {
      let isOver = false;
      const request = binaryRequest(model, [floatTensor('input', shape)]);
      const endless = (function* () {
        while (!isOver) yield request;
      })();
      const busy = closedLoop(sender, 4, endless);
      await untilIt().finally(() => {
        isOver = true;
      });
      const outcomes = await busy;
      assert.equal(describeFailures(outcomes), '');
      return outcomes.length;
    };
    const cores = async () => {
      const { backends } = await fleetOf(skein.http);
      const copies = (await modelOf(skein.http, 'mobilenet')).copies.map(({ backend }) => backend);
      const of = (id: string | undefined) => backends.find((backend) => backend.id === id)?.cores ?? 0;
      return { onnx: of(copies[0]), tensorflow: of('t1') };
    };
    const reaches = (onnx: number, tensorflow: number) =>
      until(`${onnx} and ${tensorflow} cores`, 20_000, async () => {
        const now = await cores();
        return (now.onnx === onnx && now.tensorflow === tensorflow) || undefined;
      });
    await keepBusy('mobilenet', [1, 3, 224, 224], async () => {
      await reaches(2, 1);
      await keepBusy('tf_mobilenet', [1, 224, 224, 3], () => reaches(1, 1));
      await reaches(2, 1);
    });
    await keepBusy('tf_mobilenet', [1, 224, 224, 3], () => reaches(1, 2));
    await reaches(2, 2);
  });

  for (const [model, expected] of [
    ['corrupt', /the file is damaged, or no model/],
    ['cut', /the file is damaged, or no model/],
    ['reader', /may open files or connections of this host: ReadFile \(node 'y'\) reads files/],
    ['writer', /may open files or connections of this host: WriteFile \(node 'written'\) writes files/],
    ['custom', /TensorFlow 2\.\d+\.\d+ has no operation 'MyOwnOperation'/],
    ['no_signature', /has no signature that can be served/],
    ['wrong_tags', /has no graph of the tags 'serve'/],
  ] as const) {
    test(`refuses ${model} with its reason, and serves the others`, async () => {
      const { status, error } = await halfPlusTwo(skein.http, model);
      assert.ok(status >= 400 && status < 500, `${status}: ${error}`);
      assert.match(error, expected);
      assert.deepEqual((await halfPlusTwo(skein.http)).data, [2.5, 3, 4.5]);
      assert.equal((await identity(skein.http)).status, 200);
    });
  }

  test('runs recorded warm-up requests before a version serves, and serves none whose requests fail', async () => {
    assert.deepEqual((await halfPlusTwo(skein.http, 'warmed')).data, [2.5, 3, 4.5]);
    const { status, error } = await halfPlusTwo(skein.http, 'warmed_wrongly');
    assert.equal(status, 404);
    assert.match(error, /requests in assets.extra\/tf_serving_warmup_requests cannot be run: .*no_such_input/);
  });

  test('refuses what the signature does not take', async () => {
    const ask = (input: Record<string, unknown>) => inferJson(skein.http, 'half_plus_two', { inputs: [input] });
    const dtype = await ask({ name: 'x', shape: [1, 1], datatype: 'INT32', data: [1] });
    assert.deepEqual([dtype.status, /data-type.*FP32|FP32/.test(dtype.error)], [400, true], dtype.error);
    const shape = await ask({ name: 'x', shape: [1, 7], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6, 7] });
    assert.deepEqual([shape.status, /shape/.test(shape.error)], [400, true], shape.error);
    const v1 = async (model: string, instances: unknown) => {
      const body = JSON.stringify({ instances });
      const answer = await fetch(`${skein.http}/v1/models/${model}:predict`, { method: 'POST', body });
      return { status: answer.status, error: ((await answer.json()) as { error?: string }).error ?? '' };
    };
    const text = await v1('half_plus_two', ['a']);
    assert.deepEqual([text.status, /not of expected type: float/.test(text.error)], [400, true], text.error);
    // TensorFlow would end its process over it.
    const flat = await v1('tf_mobilenet', [[1, 2]]);
    assert.deepEqual([flat.status, /dimension|shape|rank/i.test(flat.error)], [400, true], flat.error);
    assert.deepEqual((await halfPlusTwo(skein.http)).data, [2.5, 3, 4.5]);
    assert.equal((await identity(skein.http)).status, 200);
  });
});

describe('a server that lets graphs open files', () => {
  test('runs them', async (t) => {
    const repository = temporaryDirectory(t);
    writeWriter(repository);
    const skein = await startSkein({ repository, args: ['--tensorflow-file-ops', 'allow'], env: withTensorflow });
    t.after(() => skein.kill());
    const path = join(repository, 'written');
    const x = { name: 'x', shape: [], datatype: 'BYTES', data: [path] };
    const { data, error } = await inferJson(skein.http, 'writer', { inputs: [x] });
    assert.deepEqual(data, [path], error);
    assert.equal(readFileSync(path, 'utf8'), path);
  });
});

describe('a server with a batching parameters file', () => {
  test('fills runs up to the sizes that it allows, and refuses what is larger than the largest', async (t) => {
    const repository = temporaryDirectory(t);
    const file = join(temporaryDirectory(t), 'batching_config.txt');
    writeFileSync(
      file,
      `max_batch_size { value: 8 }
      batch_timeout_micros { value: 0 }
      max_enqueued_batches { value: 1000000 }
      num_batch_threads { value: 8 }
      allowed_batch_sizes : 2
      allowed_batch_sizes : 8`,
    );
    writeRowCount(savedModelPath(repository, 'rows'));
    const skein = await startSkein({ repository, args: ['--batching-parameters-file', file], env: withTensorflow });
    t.after(() => skein.kill());
    const rows = async (...values: number[]) => {
      const body = JSON.stringify({ instances: values.map((value) => [value]) });
      const answer = await fetch(`${skein.http}/v1/models/rows:predict`, { method: 'POST', body });
      return { status: answer.status, ...((await answer.json()) as { predictions?: number[][]; error?: string }) };
    };
    assert.deepEqual((await rows(1)).predictions, [[2]]);
    assert.deepEqual((await rows(1, 2)).predictions, [[2], [2]]);
    assert.deepEqual((await rows(1, 2, 3)).predictions, [[8], [8], [8]]);
    const { status, error } = await rows(...Array(9).fill(1));
    assert.equal(status, 400);
    assert.match(error ?? '', /9/);
  });
});

describe('a server without TensorFlow', () => {
  const libraries: readonly [what: string, make: (path: string) => void, says: RegExp][] = [
    ['a library of something else', writeOtherLibrary, /libtensorflow.so.2' has no TF_Version; install TensorFlow/],
    ['a folder without it', () => {}, /TensorFlow cannot be used: .* holds no libtensorflow/],
    ['one that is no library', (to) => writeFileSync(to, 'nothing'), /'.*libtensorflow.so.2' is no shared library/],
    [
      'one for another processor',
      writeForeignLibrary,
      /is for (arm64|x64), and this is (arm64|x64); install TensorFlow/,
    ],
  ];
  for (const [what, make, says] of libraries) {
    test(`serves ONNX models, and says of SavedModels what is wrong with ${what}`, async (t) => {
      const repository = temporaryDirectory(t);
      const directory = temporaryDirectory(t);
      writeBenchModels(repository, ['identity']);
      writeHalfPlusTwo(savedModelPath(repository, 'half_plus_two'));
      make(join(directory, 'libtensorflow.so.2'));
      const skein = await startSkein({ repository, args: ['--tensorflow-lib', directory] });
      t.after(() => skein.kill());
      const { status, error } = await halfPlusTwo(skein.http);
      assert.equal(status, 503);
      assert.match(error, says);
      assert.equal((await identity(skein.http)).status, 200);
    });
  }
});

/** One that can be loaded, and is none of TensorFlow's. */
function writeOtherLibrary(path: string): void {
  copyFileSync(findRuntimeLibrary(undefined), path);
}

/** The head of a library for a processor that this is not. */
function writeForeignLibrary(path: string): void {
  const head = Buffer.alloc(64);
  head.write('\x7fELF', 0, 'latin1');
  head.writeUInt16LE(process.arch === 'arm64' ? 0x3e : 0xb7, 18);
  writeFileSync(path, head);
}

/** What cannot be served, one way each. */
function writeBroken(repository: string): void {
  const float = (tensor: string) => ({ tensor, type: 'float', shape: [-1] }) as const;
  const signature = { inputs: { x: float('x:0') }, outputs: { y: float('y:0') } };
  const write = (name: string, op: string, tags = ['serve']) => {
    const graph = new GraphDefBuilder();
    graph.node(op, [graph.placeholder('x', 'float', [-1])], {}, 'y');
    writeSavedModel(savedModelPath(repository, name), graph, { serving_default: signature }, { tags });
  };
  write('reader', 'ReadFile');
  writeWriter(repository);
  write('custom', 'MyOwnOperation');
  write('wrong_tags', 'Identity', ['train']);
  writeSavedModel(savedModelPath(repository, 'no_signature'), new GraphDefBuilder(), {});
  mkdirSync(savedModelPath(repository, 'corrupt'), { recursive: true });
  writeFileSync(join(savedModelPath(repository, 'corrupt'), 'saved_model.pb'), 'this is no model at all');
  write('cut', 'Identity');
  truncateSync(join(savedModelPath(repository, 'cut'), 'saved_model.pb'), 100);
}

/** Answers each row with how many rows the run had. */
function writeRowCount(directory: string): void {
  const float = { type: 'float' } as const;
  const int32 = { type: 'int32' } as const;
  const graph = new GraphDefBuilder();
  const x = graph.placeholder('x', 'float', [-1, 1]);
  const size = graph.node('Cast', [graph.node('Size', [x], { T: float, out_type: int32 })], {
    SrcT: int32,
    DstT: float,
  });
  graph.node('AddV2', [graph.node('Mul', [x, graph.floats([], [0])], { T: float }), size], { T: float }, 'y');
  const rows = (tensor: string) => ({ tensor, type: 'float', shape: [-1, 1] }) as const;
  writeSavedModel(directory, graph, { serving_default: { inputs: { x: rows('x:0') }, outputs: { y: rows('y:0') } } });
}

/** Answers what it is given, and writes a file besides. */
function writeWriter(repository: string): void {
  const graph = new GraphDefBuilder();
  const x = graph.placeholder('x', 'string', []);
  graph.node('WriteFile', [x, x], {}, 'written');
  graph.node('Identity', [x, '^written'], { T: { type: 'string' } }, 'y');
  const text = (tensor: string) => ({ tensor, type: 'string', shape: [] }) as const;
  const signature = { inputs: { x: text('x:0') }, outputs: { y: text('y:0') } };
  writeSavedModel(savedModelPath(repository, 'writer'), graph, { serving_default: signature });
}

/** half_plus_two with a recorded request that names this input. */
function writeWarmed(repository: string, name: string, input: string): void {
  const directory = savedModelPath(repository, name);
  writeHalfPlusTwo(directory);
  const shape = new ProtoMessage().message(2, new ProtoMessage().int(1, 2));
  const tensor = new ProtoMessage().int(1, 1).message(2, shape).bytes(4, new Uint8Array(8));
  const request = new ProtoMessage()
    .message(1, new ProtoMessage().string(1, name))
    .message(2, new ProtoMessage().string(1, input).message(2, tensor));
  const log = new ProtoMessage().message(6, new ProtoMessage().message(1, request));
  mkdirSync(join(directory, 'assets.extra'));
  writeFileSync(join(directory, 'assets.extra', 'tf_serving_warmup_requests'), tfRecords([log.encode()]));
}

function channelsLast(values: Float32Array, channels: number, pixels: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % channels) * pixels + Math.floor(i / channels)]!);
}
