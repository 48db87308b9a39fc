/**
 * The adapter of Open Inference servers against the real Triton: what it reads from it, what it passes through, and what
 * it notices when the server dies and comes back. Triton is installed by peers/start-triton.sh the first time.
 */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BackendSession, InferCall } from '../../src/adapters/adapter.ts';
import { V2Adapter } from '../../src/adapters/v2/v2-adapter.ts';
import { wholeBody } from '../adapters/client-body.ts';
import { RecordedBackend } from '../adapters/recorded-backend.ts';
import { RecordedReply } from '../adapters/recorded-reply.ts';
import { until } from '../adapters/until.ts';
import { startTriton, type TritonOptions, type TritonProcess } from '../fixtures/triton-process.ts';

/** A session with a Triton that is running, with the defaults of production. */
async function connect(triton: TritonProcess, models?: readonly string[]) {
  const backend = new RecordedBackend();
  const record = { id: 'triton', kind: 'v2', address: triton.http, engines: [], ...(models && { models }) };
  const session = await new V2Adapter().connect(record, backend, new AbortController().signal);
  return { backend, session };
}

interface Answer {
  readonly reply: RecordedReply;
  readonly body: Buffer;
  readonly text: string;
}

const infer = async (
  session: BackendSession,
  backend: RecordedBackend,
  model: string,
  body: Buffer,
  more: Partial<InferCall> = {},
): Promise<Answer> => {
  const reply = new RecordedReply();
  session.infer(
    {
      copy: backend.ofModel(model)!,
      dialect: 'v2',
      body: wholeBody(body),
      headerLength: undefined,
      timeoutMs: 20_000,
      traceparent: '',
      versionNamed: false,
      ...more,
    },
    reply,
  );
  await reply.over;
  return { reply, body: reply.body, text: reply.body.toString() };
};

/** One input `x` as JSON, or as bytes behind it. */
const jsonBody = (datatype: string, shape: readonly number[], data: readonly unknown[]) =>
  Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape, datatype, data }] }));

function binaryBody(datatype: string, shape: readonly number[], bytes: Buffer): { body: Buffer; headerLength: number } {
  const parameters = { binary_data_size: bytes.length };
  const inputs = [{ name: 'x', shape, datatype, parameters }];
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return { body: Buffer.concat([json, bytes]), headerLength: json.length };
}

const bytesTensor = (words: readonly Buffer[]) =>
  Buffer.concat(words.flatMap((word) => [Buffer.from(Uint32Array.of(word.length).buffer), word]));

describe('V2Adapter with the real Triton', () => {
  let triton: TritonProcess;
  let backend: RecordedBackend;
  let session: BackendSession;

  before(async () => {
    triton = await startTriton();
    ({ backend, session } = await connect(triton));
  });
  after(async () => {
    session?.close('the suite is over');
    await triton?.kill();
  });

  test('lists its models, and what it can do', () => {
    const copies = [...backend.copies.values()].map(({ model, version, phase }) => `${model} ${version} ${phase}`);
    assert.deepEqual(copies.sort(), ['failing 1 ready', 'identity 1 ready', 'slow 1 ready', 'words 1 ready']);
    assert.deepEqual(session.can, { load: true, unload: true, describe: true, statistics: true, bodies: ['v2'] });
  });

  test('describes a model by its metadata and configuration', async () => {
    const { config, ...described } = await session.describe(backend.ofModel('identity')!);
    assert.deepEqual(described, {
      platform: 'python',
      maxBatchSize: 64,
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, -1] }],
      },
    });
    assert.deepEqual(Object(config).instance_group[0].kind, 'KIND_CPU');
  });

  test('passes JSON through', async () => {
    const { reply, text } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 2], [1.5, -2]));
    assert.equal(
      text,
      '{"model_name":"identity","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[1.5,-2.0]}]}',
    );
    assert.deepEqual([reply.head?.headerLength, reply.head?.bodyBytes], [undefined, text.length]);
  });

  test('passes binary tensors through, small and large, with and without the version', async () => {
    for (const [values, versionNamed] of [
      [3, false],
      [3, true],
      [5_000_000, false],
    ] as const) {
      const bytes = Buffer.from(Float32Array.from({ length: values }, (_, index) => index / 7).buffer);
      const { body, headerLength } = binaryBody('FP32', [1, values], bytes);
      const answer = await infer(session, backend, 'identity', body, { headerLength, versionNamed });
      assert.equal(answer.reply.error, undefined);
      assert.deepEqual(answer.body.subarray(answer.reply.head?.headerLength), bytes);
    }
  });

  test('passes strings through, NUL bytes and all', async () => {
    const words = bytesTensor([
      Buffer.from('a\0b'),
      Buffer.alloc(0),
      Buffer.from('größer'),
      Buffer.alloc(70_000, 0xff),
    ]);
    const { body, headerLength } = binaryBody('BYTES', [4], words);
    const answer = await infer(session, backend, 'words', body, { headerLength });
    assert.deepEqual(answer.body.subarray(answer.reply.head?.headerLength), words);
    const json = await infer(session, backend, 'words', jsonBody('BYTES', [2], ['so', 'wörtlich']));
    assert.match(json.text, /"data":\["so","wörtlich"\]/);
  });

  test('passes errors on in the words of Triton', async () => {
    const cases = [
      [await infer(session, backend, 'failing', jsonBody('FP32', [1], [1])), 500, 'this model always fails'],
      [await infer(session, backend, 'identity', jsonBody('INT8', [1, 1], [1])), 400, "data-type is 'INT8', but model"],
      [await infer(session, backend, 'identity', Buffer.from('{"inputs":')), 500, 'failed to parse the request JSON'],
    ] as const;
    for (const [{ reply }, status, words] of cases) {
      assert.equal(reply.error?.facts['status'], status);
      assert.ok(reply.error?.message.includes(words), reply.error?.message);
    }
    const named = {
      copy: { ...backend.ofModel('words')!, id: backend.ofModel('identity')!.id, version: 1, model: 'nope' },
    };
    const { reply } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]), named);
    assert.equal(reply.error?.message, "Request for unknown model: 'nope' is not found");
    assert.equal(reply.error?.kind, 'not_found');
  });

  test('ends a request with its deadline', async () => {
    const { reply } = await infer(session, backend, 'slow', jsonBody('FP32', [1], [2]), { timeoutMs: 200 });
    assert.equal(reply.error?.code, 'deadline_passed');
  });

  test('gives statistics', async () => {
    const [statistics] = await session.statistics('words');
    assert.deepEqual([statistics?.name, statistics?.version], ['words', '1']);
    assert.equal(statistics?.inference_count, 2);
    assert.equal((await session.statistics()).length, 4);
  });

  test('unloads and loads a model, with a configuration of its own where one is given', async () => {
    await session.unload(backend.ofModel('words')!);
    await until('the offer', () => backend.offers.includes('words'));
    assert.ok(!backend.isReady('words'));
    const config = JSON.stringify({
      backend: 'python',
      max_batch_size: 4,
      input: [{ name: 'x', data_type: 'TYPE_STRING', dims: [-1] }],
      output: [{ name: 'y', data_type: 'TYPE_STRING', dims: [-1] }],
    });
    const spec = { model: 'words', version: 1, directory: '', stamp: '', pinned: false, wanted: true };
    const loaded = await session.load({ ...spec, configOverride: config });
    assert.deepEqual([loaded.phase, loaded.version, backend.offers], ['ready', 1, []]);
    assert.equal((await session.describe(loaded)).maxBatchSize, 4);
    await session.unload(loaded);
    await until('the offer', () => backend.offers.includes('words'));
    assert.equal((await session.load(spec)).phase, 'ready');
    assert.equal((await session.describe(loaded)).maxBatchSize, 0);
  });

  test('stays in service after a load that failed, which makes Triton say that it is not ready', async () => {
    const spec = { model: 'nope', version: 1, directory: '', stamp: '', pinned: false, wanted: true };
    await assert.rejects(session.load(spec), {
      message: "failed to load 'nope', failed to poll from model repository",
    });
    cpSync(join(triton.repository, 'words'), join(triton.repository, 'broken'), { recursive: true });
    writeFileSync(join(triton.repository, 'broken/config.pbtxt'), 'backend: "python"');
    writeFileSync(join(triton.repository, 'broken/1/model.py'), 'raise RuntimeError("not today")');
    await assert.rejects(session.load({ ...spec, model: 'broken' }), /load failed for model 'broken'.*not today/s);
    await until('the copy that failed', () => backend.ofModel('broken')?.phase === 'failed');
    assert.match(JSON.stringify(backend.ofModel('broken')?.reason), /not today/);
    const health = await fetch(`${triton.http}/v2/health/ready`);
    assert.equal(health.status, 400);
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // two probes
    assert.equal(backend.isStalled, false);
    const { reply } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]));
    assert.equal(reply.error, undefined);
  });
});

describe('V2Adapter when Triton dies', () => {
  let triton: TritonProcess;
  before(async () => {
    triton = await startTriton();
  });
  after(() => triton?.kill());

  test('fails requests at once, and serves within 5 s of its return', async (t) => {
    const { backend, session } = await connect(triton, ['identity', 'slow']);
    t.after(() => session.close('the test is over'));
    const underWay = infer(session, backend, 'slow', jsonBody('FP32', [1], [10]));
    await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]));

    const killed = performance.now();
    await triton.kill();
    const { reply } = await underWay;
    assert.equal(reply.error?.code, 'link_broken');
    await until('the ejection', () => backend.isStalled);
    t.diagnostic(`ejected ${Math.round(performance.now() - killed)} ms after the kill`);
    const refusedAt = performance.now();
    const { reply: refused } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]));
    assert.match(refused.error?.message ?? '', /^the connection to backend 'triton' ended: .*ECONNREFUSED/);
    t.diagnostic(`refused in ${Math.round(performance.now() - refusedAt)} ms`);

    triton = await startTriton({ ports: triton.ports });
    const returned = performance.now();
    await until('the readmission', () => !backend.isStalled, 5_000);
    t.diagnostic(`readmitted ${Math.round(performance.now() - returned)} ms after its return`);
    const { reply: served } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]));
    assert.equal(served.error, undefined);
  });

  test('notices a server that is frozen, and one that wakes up', async (t) => {
    const { backend, session } = await connect(triton, ['identity']);
    t.after(() => session.close('the test is over'));
    const frozen = performance.now();
    triton.signal('SIGSTOP');
    await until('the ejection', () => backend.isStalled, 5_000);
    t.diagnostic(`ejected ${Math.round(performance.now() - frozen)} ms after it froze`);
    triton.signal('SIGCONT');
    await until('the readmission', () => !backend.isStalled, 5_000);
  });
});

describe('V2Adapter with a Triton that takes no orders', () => {
  const options: TritonOptions = { control: 'none' };

  test('learns that it may not load, and serves all the same', async (t) => {
    const triton = await startTriton(options);
    t.after(() => triton.kill());
    const { backend, session } = await connect(triton);
    t.after(() => session.close('the test is over'));
    await assert.rejects(session.unload(backend.ofModel('words')!), {
      code: 'backend_cannot',
      message: /explicit model load \/ unload is not allowed/,
    });
    assert.deepEqual([session.can.load, session.can.unload], [false, false]);
    const { reply } = await infer(session, backend, 'identity', jsonBody('FP32', [1, 1], [1]));
    assert.equal(reply.error, undefined);
  });
});
