import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WireReader } from '../../../../src/protocol/protobuf/wire-reader.ts';
import type { UnaryMethod } from '../../../../src/router/servers/grpc/grpc-method.ts';
import { type ReloadRule, tfservingMethods } from '../../../../src/router/servers/grpc/tfserving-methods.ts';
import { message, type SentSpec, writeSpec } from '../../../protocol/tfserving/sent-messages.ts';
import { FakeMesh } from '../fake-mesh.ts';
import { noReloads } from './no-reloads.ts';

const methods = tfservingMethods(new FakeMesh(), noReloads);

async function ask(path: string, body: Uint8Array): Promise<Buffer> {
  const { handle } = methods[path] as UnaryMethod;
  return Buffer.concat(await handle(body, { remoteAddress: '127.0.0.1' }));
}

const spec = (given: SentSpec, ...fields: string[]) =>
  message((writer) => {
    writer.message(1, (inner) => writeSpec(inner, given));
    for (const field of fields) writer.string(2, field);
  });

/** Numbers and texts of a message and of those inside it, as far as they are one. */
function flat(bytes: Uint8Array): unknown[] {
  const values: unknown[] = [];
  const reader = new WireReader([bytes]);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (reader.wireType === 0) values.push([field, Number(reader.int64())]);
    else values.push([field, Buffer.from(reader.bytes()).toString('latin1')]);
  }
  return values;
}

describe('GetModelStatus', () => {
  const path = '/tensorflow.serving.ModelService/GetModelStatus';

  test('answers each version with its state', async () => {
    const answer = await ask(path, spec({ name: 'multi_version' }));
    assert.deepEqual(
      flat(answer).map((row) => flat(Buffer.from((row as [number, string])[1], 'latin1'))),
      [
        [
          [1, 3],
          [2, 30],
          [3, ''],
        ],
        [
          [1, 1],
          [2, 30],
          [3, ''],
        ],
      ],
    );
  });

  test('says what is wrong with one that failed', async () => {
    assert.ok((await ask(path, spec({ name: 'multi_version', version: 3 }))).includes('it is broken'));
  });

  test('refuses what is not there', async () => {
    await assert.rejects(ask(path, spec({ name: 'none' })), { message: 'Could not find any versions of model none' });
    await assert.rejects(ask(path, Buffer.alloc(0)), { message: 'Missing ModelSpec' });
    await assert.rejects(ask(path, spec({ name: 'simple', version: -1 })), { code: 'version_unknown' });
  });
});

describe('GetModelMetadata', () => {
  const path = '/tensorflow.serving.PredictionService/GetModelMetadata';

  test('answers the signatures of a model', async () => {
    const answer = await ask(path, spec({ name: 'simple' }, 'signature_def'));
    for (const text of [
      'simple',
      'serving_default',
      'INPUT0',
      'OUTPUT0',
      'tensorflow/serving/predict',
      'SignatureDefMap',
    ]) {
      assert.ok(answer.includes(text), text);
    }
  });

  test('refuses other fields, and none', async () => {
    await assert.rejects(ask(path, spec({ name: 'simple' }, 'assets')), {
      message: 'Metadata field assets is not supported',
    });
    await assert.rejects(ask(path, spec({ name: 'simple' })), /must specify at least one metadata_field/);
    await assert.rejects(ask(path, spec({ name: '' }, 'signature_def')), /has no name/);
  });
});

describe('HandleReloadConfigRequest', () => {
  const reload = (rule: Partial<ReloadRule>, remoteAddress: string) => {
    const all = tfservingMethods(new FakeMesh(), { ...noReloads, ...rule });
    const { handle } = all['/tensorflow.serving.ModelService/HandleReloadConfigRequest'] as UnaryMethod;
    const request = message((config) => config.message(1, (server) => server.message(1, () => {})));
    return Promise.resolve(handle(request, { remoteAddress })).then((parts) => Buffer.concat(parts));
  };

  test('hands the list on and answers that all is well', async () => {
    const lists: unknown[] = [];
    const taking = { replace: async (models: unknown) => void lists.push(models) };
    assert.deepEqual(await reload({ lists: taking }, '127.0.0.1'), Buffer.of(0x0a, 0));
    assert.deepEqual(await reload({ lists: taking, allowRemoteLoad: true }, '10.0.0.1'), Buffer.of(0x0a, 0));
    assert.deepEqual(lists, [[], []]);
  });

  test('takes lists, which name directories, from this machine alone unless more is allowed', async () => {
    await assert.rejects(reload({}, '10.0.0.1'), { code: 'reload_remote' });
  });
});
