import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FleetPicture } from '../../../src/fleet/fleet-picture.ts';
import type { FleetListener } from '../../../src/fleet/registry.ts';
import { ConvictionDesk } from '../../../src/router/mesh/conviction-desk.ts';
import { noSiblings, type RouterSiblings } from '../../../src/router/mesh/router-siblings.ts';
import { Quarantine } from '../../../src/router/routing/quarantine.ts';
import { until } from '../../adapters/until.ts';
import { MemoryRegistry } from '../../fleet/memory-registry.ts';

const isolation = { maxConvictions: 10, isolateAfterCrashes: 3, crashWindowMs: 1_000, maxModels: 10 };

function desk(registry: MemoryRegistry, self: string, convictionMs = 60_000) {
  const logs: string[] = [];
  const made = new ConvictionDesk(new Quarantine({ ...isolation, convictionMs }), (message) => logs.push(message));
  made.shareThrough(registry, self);
  return { desk: made, logs };
}

describe('ConvictionDesk', () => {
  test('refuses what another router convicted, and counts only its own', async () => {
    const registry = new MemoryRegistry();
    const [one, other] = [desk(registry, 'r1'), desk(registry, 'r2')];
    one.desk.convict('m', 'body', 'hash');
    await until('told', () => other.desk.refusedForMs('m', 'body', 'hash') > 0);
    assert.equal(other.desk.refusedForMs('m', 'load', 'hash'), 0);
    const nowMs = performance.now();
    assert.deepEqual(
      [one, other].map((each) => each.desk.report(nowMs).convictions),
      [1, 0],
    );
    assert.deepEqual(
      [one, other].map((each) => each.desk.report(nowMs).refused),
      [1, 1],
    );
    assert.deepEqual([other.desk.bodiesRefused('m', nowMs), other.desk.bodiesRefused('n', nowMs)], [1, 0]);
    assert.ok(other.logs.some((message) => /another router convicted it/.test(message)));
    assert.ok(desk(registry, 'r3').desk.refusedForMs('m', 'body', 'hash') > 0, 'one that begins later');
  });

  test('lets it go when the registry does: its time is over, or an operator took it out', async () => {
    const picture = new FleetPicture();
    const registry = Object.assign(new MemoryRegistry(), { watch: (one: FleetListener) => picture.watch(one) });
    const { desk: other } = desk(registry, 'r2');
    const value = { model: 'm', what: 'load', mark: '1:s', by: 'r1', forMs: 60_000 } as const;
    picture.apply([{ kind: 'conviction', name: 'c', value }]);
    assert.ok(other.refusedForMs('m', 'load', '1:s') > 0);
    picture.apply([{ kind: 'conviction', name: 'c', value: undefined }]);
    assert.equal(other.refusedForMs('m', 'load', '1:s'), 0);
  });

  test('goes by what another process behind the same port convicted; the one that leads tells the rest, once', () => {
    const told: string[] = [];
    const deskOf = (siblings: Partial<RouterSiblings>) =>
      new ConvictionDesk(new Quarantine({ ...isolation, convictionMs: 60_000 }), () => {}, {
        ...noSiblings,
        ...siblings,
      });
    const third = deskOf({ leader: {} as RouterSiblings['leader'], convict: () => told.push('by the third') });
    const leader = deskOf({
      convict: (conviction) => {
        told.push('by the leader');
        for (const one of [second, third]) one.hear(conviction);
      },
    });
    const second: ConvictionDesk = deskOf({
      leader: {} as RouterSiblings['leader'],
      convict: (conviction) => leader.hear(conviction),
    });
    second.convict('m', 'body', 'hash');
    for (const one of [leader, second, third]) assert.ok(one.refusedForMs('m', 'body', 'hash') > 0);
    const counts = [leader, second, third].map((one) => one.report(performance.now()).convictions);
    assert.deepEqual([told, counts], [['by the leader'], [0, 1, 0]]);
    assert.deepEqual(
      leader.inForce().map(({ model, what, mark }) => [model, what, mark]),
      [['m', 'body', 'hash']],
    );
  });

  test('holds on its own while the registry is away', async () => {
    const registry = new MemoryRegistry();
    registry.convict = () => Promise.reject(new Error('away'));
    const { desk: one, logs } = desk(registry, 'r1');
    one.convict('m', 'body', 'hash');
    await until('said', () => logs.some((message) => /in this router alone/.test(message)));
    assert.ok(one.refusedForMs('m', 'body', 'hash') > 0);
  });
});
