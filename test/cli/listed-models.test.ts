import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ListedModels } from '../../src/cli/listed-models.ts';
import type { RouterParty } from '../../src/cli/router-news.ts';
import { ModelListSource } from '../../src/fleet/repository/model-list-source.ts';
import { RepositoryWatch } from '../../src/fleet/repository/watch-repository.ts';
import type { ListedModel } from '../../src/protocol/tfserving/listed-model.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';

type Owner = Parameters<typeof temporaryDirectory>[0];

function listed(t: Owner): ListedModel {
  const basePath = join(temporaryDirectory(t), 'half');
  mkdirSync(join(basePath, '1'), { recursive: true });
  writeFileSync(join(basePath, '1', 'model.onnx'), 'x');
  return { name: 'half', basePath, platform: '', versionPolicy: undefined, labels: new Map() };
}

async function listedModels(t: Owner, party: RouterParty) {
  const source = new ModelListSource('');
  const watch = new RepositoryWatch({
    scan: (previous) => source.scan(previous, Date.now()),
    pollMs: 0,
    settleMs: 0,
    onChange: () => {},
    onNotice: () => {},
  });
  t.after(() => watch.close());
  await watch.start();
  return { lists: new ListedModels(source, watch, party), served: () => [...watch.snapshot.models.keys()] };
}

describe('ListedModels', () => {
  test('are served where they were sent, and by those that follow, who hear of them only once they are right', async (t) => {
    const model = listed(t);
    const follower = await listedModels(t, { leader: undefined, tell: () => Promise.resolve() });
    const leader = await listedModels(t, {
      leader: undefined,
      tell: async (news) => {
        if (news.kind === 'list') await follower.lists.goBy(news.models);
      },
    });
    await assert.rejects(leader.lists.replace([{ ...model, labels: new Map([['stable', 7]]) }]), {
      code: 'label_unavailable',
    });
    assert.deepEqual([leader.lists.sent, follower.lists.sent], [undefined, undefined]);
    await leader.lists.replace([model]);
    assert.deepEqual([leader.served(), follower.served(), leader.lists.sent], [['half'], ['half'], [model]]);
  });

  test('are the business of the leader where there is one', async (t) => {
    const model = listed(t);
    const calls: unknown[] = [];
    const leader: RouterParty['leader'] = async (call) => void calls.push(call);
    const { lists, served } = await listedModels(t, { leader, tell: () => Promise.resolve() });
    await lists.replace([model]);
    assert.deepEqual([calls, served()], [[{ verb: 'list', models: [model] }], []]);
  });
});
