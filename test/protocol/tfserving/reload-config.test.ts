import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WireWriter } from '../../../src/protocol/protobuf/wire-writer.ts';
import { decodeReloadConfig } from '../../../src/protocol/tfserving/reload-config.ts';
import { message } from './sent-messages.ts';

const configs = (...each: ((writer: WireWriter) => void)[]) =>
  message((request) =>
    request.message(1, (server) =>
      server.message(1, (list) => {
        for (const write of each) list.message(1, write);
      }),
    ),
  );

describe('decodeReloadConfig', () => {
  test('reads models, policies and labels', () => {
    const request = configs(
      (model) => {
        model.string(1, 'a');
        model.string(2, '/models/a');
        model.string(4, 'tensorflow');
        model.message(7, (policy) => policy.message(102, (specific) => specific.packed(1, 2, (i) => i + 42)));
        model.message(8, (entry) => {
          entry.string(1, 'stable');
          entry.int64(2, 42n);
        });
      },
      (model) => {
        model.string(1, 'b');
        model.int32(3, 1);
        model.message(7, (policy) => policy.message(100, (latest) => latest.int32(1, 3)));
      },
      (model) => model.message(7, (policy) => policy.message(101, () => {})),
    );
    assert.deepEqual(decodeReloadConfig(request), [
      {
        ...{ name: 'a', basePath: '/models/a', platform: 'tensorflow' },
        versionPolicy: { kind: 'specific', versions: [42, 43] },
        labels: new Map([['stable', 42]]),
      },
      {
        ...{ name: 'b', basePath: '', platform: 'tensorflow' },
        versionPolicy: { kind: 'latest', count: 3 },
        labels: new Map(),
      },
      { ...{ name: '', basePath: '', platform: '' }, versionPolicy: { kind: 'all' }, labels: new Map() },
    ]);
  });

  test('refuses what is no list of models', () => {
    assert.throws(() => decodeReloadConfig(Buffer.alloc(0)), /Only ModelConfigList is currently supported/);
    const custom = message((request) => request.message(1, (server) => server.message(2, () => {})));
    assert.throws(() => decodeReloadConfig(custom), { code: 'reload_kind' });
  });
});
