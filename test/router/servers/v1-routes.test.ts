import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { http, serveFake } from './serve-fake.ts';

type Send = Awaited<ReturnType<typeof serveFake>>['send'];

async function call(send: Send, method: string, path: string, body?: string): Promise<[status: number, body: string]> {
  const { answers } = await send(http(method, path, body), { settleMs: 0 });
  return [answers[0]!.status, answers[0]!.body.toString()];
}

const errorOf = (text: string) => `{\n    "error": ${JSON.stringify(text)}\n}`;

describe("TensorFlow Serving's REST API, about models", () => {
  test('tells the state of each version, newest first', async (t) => {
    const { send } = await serveFake(t);
    const available = (version: number) => `  {
   "version": "${version}",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": ""
   }
  }`;
    assert.deepEqual(await call(send, 'GET', '/v1/models/multi_version'), [
      200,
      `{\n "model_version_status": [\n${available(3)},\n${available(1)}\n ]\n}\n`,
    ]);
  });

  test('tells why a version is not served', async (t) => {
    const { send } = await serveFake(t);
    const [, body] = await call(send, 'GET', '/v1/models/multi_version/versions/3');
    assert.deepEqual(JSON.parse(body).model_version_status, [
      { version: '3', state: 'END', status: { error_code: 'UNKNOWN', error_message: 'it is broken' } },
    ]);
  });

  test('describes the signatures of a model', async (t) => {
    const { send } = await serveFake(t);
    const [status, body] = await call(send, 'GET', '/v1/models/multi_version/labels/stable/metadata');
    assert.equal(status, 200);
    assert.ok(
      body.startsWith('{\n"model_spec":{\n "name": "multi_version",\n "signature_name": "",\n "version": "1"\n}\n,\n'),
    );
    const { metadata } = JSON.parse(body);
    const dim = (size: string) => ({ size, name: '' });
    assert.deepEqual(metadata.signature_def.signature_def.serving_default, {
      inputs: {
        INPUT0: {
          dtype: 'DT_INT32',
          tensor_shape: { dim: [dim('-1'), dim('16')], unknown_rank: false },
          name: 'INPUT0',
        },
      },
      outputs: {
        OUTPUT0: {
          dtype: 'DT_INT32',
          tensor_shape: { dim: [dim('-1'), dim('16')], unknown_rank: false },
          name: 'OUTPUT0',
        },
      },
      method_name: 'tensorflow/serving/predict',
      defaults: {},
    });
  });

  const refusals: [method: string, path: string, status: number, text: string][] = [
    ['GET', '/v1/models/unknown', 404, 'Could not find any versions of model unknown'],
    ['GET', '/v1/models/simple/versions/7', 404, 'Could not find version 7 of model simple'],
    ['GET', '/v1/models/simple/labels/none', 400, 'Unrecognized servable version label: none'],
    ['GET', '/v1/models/unknown/metadata', 404, 'Servable not found for request: Latest(unknown)'],
    ['GET', '/v1/models/simple/versions/7/metadata', 404, 'Servable not found for request: Specific(simple, 7)'],
    ['GET', '/v1/models', 400, 'Missing model name in request.'],
    ['GET', '/v1/models/simple/nonsense', 400, 'Malformed request: GET /v1/models/simple/nonsense'],
    ['POST', '/v1/models/simple:explain', 400, 'Malformed request: POST /v1/models/simple:explain'],
  ];
  for (const [method, path, status, text] of refusals) {
    test(`refuses ${method} ${path}`, async (t) => {
      const { send } = await serveFake(t);
      assert.deepEqual(await call(send, method, path, method === 'POST' ? '{}' : undefined), [status, errorOf(text)]);
    });
  }
});

describe("TensorFlow Serving's REST API, inference", () => {
  test('passes bodies on as they are, with what the path says', async (t) => {
    const { mesh, send } = await serveFake(t);
    assert.deepEqual(await call(send, 'POST', '/v1/models/simple/versions/1:predict', '{"instances": [1]}'), [
      200,
      '{"instances": [1]}',
    ]);
    await call(send, 'POST', '/v1/models/multi_version/labels/stable:regress', '{}');
    assert.deepEqual(
      mesh.inferences.map(({ request: { model, version, dialect } }) => [model, version, dialect]),
      [
        ['simple', 1, 'v1Predict'],
        ['multi_version', 1, 'v1Regress'],
      ],
    );
  });

  test('tells of errors in its own words, with its own statuses', async (t) => {
    const { mesh, send } = await serveFake(t);
    assert.deepEqual(await call(send, 'POST', '/v1/models/half:predict', '{"instances": [1.0,5.0]}'), [
      404,
      errorOf('Servable not found for request: Latest(half)'),
    ]);
    assert.deepEqual(await call(send, 'POST', '/v1/models/simple/labels/none:predict', '{}'), [
      400,
      errorOf('Unrecognized servable version label: none'),
    ]);
    const statuses = [
      [new SkeinError('deadline_passed', { ms: 5, stage: 'in a test' }), 504],
      [new SkeinError('queue_full'), 503],
      [new SkeinError('signature_unknown', { model: 'simple', signature: 's', known: '' }), 400],
    ] as const;
    for (const [error, status] of statuses) {
      mesh.behaviour = (inference) => inference.observer.onError(error);
      const [got, body] = await call(send, 'POST', '/v1/models/simple:classify', '{}');
      assert.equal(got, status);
      assert.match(body, error.code === 'signature_unknown' ? /No signature was found with the name: s/ : /error/);
    }
  });
});
