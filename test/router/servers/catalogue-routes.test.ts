import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import type { FleetSnapshot } from '../../../src/fleet/registry.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { FleetDesk } from '../../../src/router/mesh/fleet-desk.ts';
import { catalogueRoutes } from '../../../src/router/servers/catalogue-routes.ts';
import type { ServerOptions } from '../../../src/router/servers/server-options.ts';
import { MemoryRegistry } from '../../fleet/memory-registry.ts';

const found = { versions: [1, 2], stamps: ['s1', 's2'], changedAtMs: 5 };

/** Answers a change before its own picture has it, as a store with a watch may: the next looks see what was there before. */
class LateRegistry extends MemoryRegistry {
  #earlier: FleetSnapshot | undefined;
  #looks = 0;

  override get snapshot(): FleetSnapshot {
    if (this.#looks > 0) this.#looks--;
    else this.#earlier = undefined;
    return this.#earlier ?? super.snapshot;
  }

  override putEntry(...change: Parameters<MemoryRegistry['putEntry']>): Promise<number> {
    this.#fallBehind();
    return super.putEntry(...change);
  }

  override removeEntry(...change: Parameters<MemoryRegistry['removeEntry']>): Promise<void> {
    this.#fallBehind();
    return super.removeEntry(...change);
  }

  #fallBehind(): void {
    this.#earlier = { ...super.snapshot, entries: new Map(super.snapshot.entries) };
    this.#looks = 2;
  }
}

function start(registry = new MemoryRegistry()) {
  const desk = new FleetDesk(registry, async (path) => {
    if (path.startsWith('no')) throw new SkeinError('model_not_found', { path, reason: 'it is not there' });
    return found;
  });
  const post = (path: string, body: unknown = {}, of: FleetDesk | undefined = desk) => send(of, path, body);
  const entryOf = (name: string) => registry.snapshot.entries.get(name)?.entry;
  return { registry, post, entryOf };
}

/** The route's answer, as fastify would have called it. */
async function send(desk: FleetDesk | undefined, url: string, body: unknown): Promise<unknown> {
  for (const { path, handle } of catalogueRoutes(desk, { corsOrigin: '' } as ServerOptions)) {
    const names: string[] = [];
    const pattern = path.replace(/:(\w+)/g, (_, name) => {
      names.push(name);
      return '([^/]+)';
    });
    const match = new RegExp(`^${pattern}$`).exec(url);
    if (match === null) continue;
    const parts = Object.fromEntries(names.map((name, i) => [name, match[i + 1]!]));
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await handle({ request: {} as IncomingMessage, path: parts, query: {}, body: Buffer.from(text) });
    return JSON.parse(answer.body ?? '{}');
  }
  throw new Error(`no route for ${url}`);
}

describe('catalogueRoutes', () => {
  test('register a model, its files looked up where none are named', async () => {
    const { post, entryOf } = start();
    assert.deepEqual(await post('/fleet/models/m', { path: 'deep/m', pinned: true }), { revision: 1 });
    assert.deepEqual(entryOf('m'), {
      kind: 'model',
      name: 'm',
      path: 'deep/m',
      engine: 'onnx',
      pinned: true,
      ...found,
    });
    await assert.rejects(post('/fleet/models/other', { path: 'nowhere' }), { code: 'model_not_found' });
  });

  test('change what is said of a model and leave the rest', async () => {
    const { post, entryOf } = start();
    await post('/fleet/models/m', { versions: [7], stamps: ['x'], requires: { gpu: 'a100' } });
    await post('/fleet/models/m', { minCopies: 2 });
    const entry = entryOf('m');
    assert.ok(entry?.kind === 'model');
    assert.deepEqual([entry.versions, entry.requires, entry.minCopies], [[7], { gpu: 'a100' }, 2]);
  });

  test('change an entry only where it is at the revision that the caller has seen', async () => {
    const { post } = start();
    await post('/fleet/models/m', { ifRevision: 0 });
    await assert.rejects(post('/fleet/models/m', { ifRevision: 0, pinned: true }), { code: 'registry_conflict' });
    assert.deepEqual(await post('/fleet/models/m', { ifRevision: 1, pinned: true }), { revision: 2 });
    await assert.rejects(post('/fleet/models/m', { ifRevision: -1 }), { code: 'query_unknown' });
  });

  test('take changes that build on those just made, before they are told of here', async () => {
    const { post, registry } = start(new LateRegistry());
    await post('/fleet/models/m');
    await post('/fleet/routes/a', { targets: [{ model: 'm' }] });
    await post('/fleet/models/a/remove');
    await post('/fleet/models/m/remove');
    await post('/fleet/models/n');
    await post('/fleet/models/n/label', { label: 'stable', version: 2 });
    await post('/fleet/models/n/remove');
    for (let looks = 0; looks < 3; looks++) registry.snapshot;
    assert.equal(registry.snapshot.entries.size, 0);
  });

  test('label versions and take labels away', async () => {
    const { post, entryOf } = start();
    await post('/fleet/models/m');
    await post('/fleet/models/m/label', { label: 'stable', version: 1 });
    await assert.rejects(post('/fleet/models/m/label', { label: 'beta', version: 9 }), { code: 'entry_invalid' });
    assert.deepEqual((entryOf('m') as { labels?: unknown }).labels, { stable: 1 });
    await post('/fleet/models/m/label', { label: 'stable', version: null });
    assert.deepEqual((entryOf('m') as { labels?: unknown }).labels, {});
  });

  test('route a name to models that exist, and to nothing else', async () => {
    const { post, entryOf } = start();
    await post('/fleet/models/m');
    await post('/fleet/routes/r', { targets: [{ model: 'm', version: 2, weight: 3 }] });
    assert.deepEqual(entryOf('r'), { kind: 'route', name: 'r', targets: [{ model: 'm', version: 2, weight: 3 }] });
    await assert.rejects(post('/fleet/routes/r', { targets: [{ model: 'gone' }] }), { code: 'entry_invalid' });
    await assert.rejects(post('/fleet/routes/r', { targets: [{ model: 'r' }] }), { code: 'entry_invalid' });
    await assert.rejects(post('/fleet/routes/m', { targets: [{ model: 'm' }] }), { code: 'entry_invalid' });
    await assert.rejects(post('/fleet/models/r'), { code: 'entry_invalid' });
  });

  test('remove what is there', async () => {
    const { post, entryOf } = start();
    await post('/fleet/models/m');
    await post('/fleet/models/m/remove');
    assert.equal(entryOf('m'), undefined);
    await assert.rejects(post('/fleet/models/m/remove'), { code: 'model_unknown' });
  });

  test('keep a model while an alias leads to it', async () => {
    const { post, entryOf } = start();
    await post('/fleet/models/m');
    await post('/fleet/routes/r', { targets: [{ model: 'm' }] });
    await assert.rejects(post('/fleet/models/m/remove'), { code: 'entry_invalid', message: /alias 'r' leads to it/ });
    assert.ok(entryOf('m'));
    await post('/fleet/models/r/remove');
    await post('/fleet/models/m/remove');
    assert.equal(entryOf('m'), undefined);
  });

  test('order a drain and take it back', async () => {
    const { post, registry } = start();
    await post('/fleet/backends/b1/drain');
    assert.ok(registry.snapshot.drains.has('b1'));
    await post('/fleet/backends/b1/drain', { wanted: false });
    assert.ok(!registry.snapshot.drains.has('b1'));
  });

  test('refuse what they cannot read', async () => {
    const { post } = start();
    await assert.rejects(post('/fleet/models/m', '{'), { code: 'json_malformed' });
    await assert.rejects(post('/fleet/models/m', '[]'), { code: 'body_kind' });
    await assert.rejects(post('/fleet/registry', { decision: 'maybe' }), { code: 'query_unknown' });
    await assert.rejects(post('/fleet/registry', { decision: 'accept' }), { code: 'registry_not_emptied' });
  });

  test('refuse members of the wrong type with what they should be, and change nothing', async () => {
    const { post, entryOf, registry } = start();
    await post('/fleet/models/m');
    const before = entryOf('m');
    for (const wish of [{ labels: null }, { requires: null }, { requires: 'gpu' }, { path: 5 }]) {
      await assert.rejects(post('/fleet/models/m', wish), { code: 'entry_invalid' }, JSON.stringify(wish));
    }
    for (const wish of [{ version: 1 }, { label: 'stable' }, { label: 'stable', version: '1' }]) {
      await assert.rejects(post('/fleet/models/m/label', wish), { code: 'query_unknown' }, JSON.stringify(wish));
    }
    assert.deepEqual(entryOf('m'), before);
    await post('/fleet/backends/b1/drain');
    await assert.rejects(post('/fleet/backends/b1/drain', { wanted: 'no' }), { code: 'query_unknown' });
    assert.ok(registry.snapshot.drains.has('b1'));
  });

  test('say what they need where there is no registry', async () => {
    await assert.rejects(send(undefined, '/fleet/models/m', {}), { code: 'catalogue_fixed' });
  });

  test('take nothing from a page that the operator happens to look at', () => {
    const [route] = catalogueRoutes(undefined, { corsOrigin: 'https://trusted' } as ServerOptions);
    const from = (origin: string | undefined) => ({ headers: { origin } }) as unknown as IncomingMessage;
    assert.throws(() => route!.admit!(from('https://evil')), { code: 'page_refused' });
    route!.admit!(from('https://trusted'));
    route!.admit!(from(undefined));
  });
});
