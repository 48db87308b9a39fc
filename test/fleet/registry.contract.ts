import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { ModelRecord, RouteRecord } from '../../src/fleet/catalogue-entry.ts';
import type { BackendMember, MemberRecord } from '../../src/fleet/member-record.ts';
import type { AnnounceOptions, FleetChanges, Registry } from '../../src/fleet/registry.ts';
import { until } from '../fixtures/fleet-client.ts';

/** What every registry promises. `open` gives members of one new fleet; for a registry of one process all are the same. */
export function registryContract(name: string, open: (t: TestContext) => Promise<() => Registry>): void {
  describe(`${name} as a registry`, () => {
    test('tells of an entry that was put, to everybody', async (t) => {
      const [one, other] = await two(t, open);
      const revision = await one.putEntry(modelRecord('a'));
      await until('the other knows', withinMs, () => other.snapshot.entries.get('a'));
      assert.deepEqual(other.snapshot.entries.get('a'), { entry: modelRecord('a'), revision });
    });

    test('tells a new watcher all that is known, and then what changes', async (t) => {
      const [one, other] = await two(t, open);
      await one.putEntry(modelRecord('a'));
      await until('known', withinMs, () => other.snapshot.entries.get('a'));
      const seen: string[][] = [];
      other.watch({ onChange: (_snapshot, { entries }: FleetChanges) => seen.push([...entries]) });
      assert.deepEqual(seen, [['a']]);
      await one.putEntry(modelRecord('b'));
      await until('told', withinMs, () => (seen.length > 1 ? true : undefined));
      assert.deepEqual(seen.slice(1), [['b']]);
    });

    test('tells nobody any more who stopped watching', async (t) => {
      const [one, other] = await two(t, open);
      let told = 0;
      other.watch({ onChange: () => told++ })();
      await one.putEntry(modelRecord('a'));
      await until('known', withinMs, () => other.snapshot.entries.get('a'));
      assert.equal(told, 1);
    });

    test('puts under a condition: 0 for what is not there, else the revision that is there', async (t) => {
      const [one] = await two(t, open);
      const first = await one.putEntry(modelRecord('a'), 0);
      await until('known', withinMs, () => one.snapshot.entries.get('a'));
      await assert.rejects(one.putEntry(modelRecord('a', [1, 2]), 0), { code: 'registry_conflict' });
      const second = await one.putEntry(modelRecord('a', [1, 2]), first);
      assert.ok(second > first);
      await until('known', withinMs, () => (one.snapshot.entries.get('a')?.revision === second ? true : undefined));
      await assert.rejects(one.putEntry(modelRecord('a', [3]), first), { code: 'registry_conflict' });
      assert.equal(one.snapshot.entries.get('a')?.revision, second);
    });

    test('lets one of many win who change the same entry at once', async (t) => {
      const [one, other] = await two(t, open);
      const revision = await one.putEntry(modelRecord('a'));
      await until('known', withinMs, () => other.snapshot.entries.get('a'));
      const tries = Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? one : other).putEntry(modelRecord('a', [i + 2]), revision).then(
          () => 'won',
          (fault) => fault.code,
        ),
      );
      const outcomes = await Promise.all(tries);
      assert.equal(outcomes.filter((outcome) => outcome === 'won').length, 1);
      assert.equal(outcomes.filter((outcome) => outcome === 'registry_conflict').length, 19);
    });

    test('removes an entry, under a condition where one is named', async (t) => {
      const [one, other] = await two(t, open);
      const revision = await one.putEntry(modelRecord('a'));
      await until('known', withinMs, () => other.snapshot.entries.get('a'));
      await assert.rejects(other.removeEntry('a', revision + 1_000), { code: 'registry_conflict' });
      await other.removeEntry('a', revision);
      await until('gone', withinMs, () => (one.snapshot.entries.has('a') ? undefined : true));
      await one.removeEntry('a'); // not there: no fault
    });

    test('refuses an entry that cannot be used, with the reason', async (t) => {
      const [one] = await two(t, open);
      const nowhere: RouteRecord = { kind: 'route', name: 'r', targets: [] };
      await assert.rejects(one.putEntry(nowhere), { code: 'entry_invalid' });
      await assert.rejects(one.putEntry({ ...modelRecord('a'), path: '../a' }), { code: 'entry_invalid' });
    });

    test('takes many entries at once, and tells of all of them', async (t) => {
      const [one, other] = await two(t, open);
      const names = Array.from({ length: 300 }, (_, i) => `m${i}`);
      await Promise.all(names.map((model) => one.putEntry(modelRecord(model), 0)));
      await until('known', withinMs, () => (other.snapshot.entries.size === 300 ? true : undefined));
      await Promise.all(names.map((model) => one.removeEntry(model)));
      await until('gone', withinMs, () => (other.snapshot.entries.size === 0 ? true : undefined));
      assert.equal(other.standing.kind, 'connected');
    });

    test('makes members known until they withdraw', async (t) => {
      const [one, other] = await two(t, open);
      const member = backend('b1');
      const announced = await one.announce(member, alone);
      await until('known', withinMs, () => other.snapshot.backends.get('b1'));
      assert.deepEqual(other.snapshot.backends.get('b1'), member);
      await announced.update({ ...member, leaving: true });
      await until('updated', withinMs, () => (other.snapshot.backends.get('b1')?.leaving ? true : undefined));
      await announced.withdraw();
      await until('gone', withinMs, () => (other.snapshot.backends.has('b1') ? undefined : true));
      const router: MemberRecord = { role: 'router', id: 'r1', instance: 'i', software: '1', url: 'http://h:1' };
      await one.announce(router, alone);
      await until('known', withinMs, () => other.snapshot.routers.get('r1'));
    });

    test('refuses the name of a member that lives, and hands over that of one that does not', async (t) => {
      const [one, other] = await two(t, open);
      const first = backend('b1');
      const second = { ...backend('b1'), address: 'tcp://h:2' };
      const taken: (MemberRecord | undefined)[] = [];
      await one.announce(first, { ...alone, onTaken: (by) => taken.push(by) });
      await until('known', withinMs, () => other.snapshot.backends.get('b1'));
      await assert.rejects(other.announce(second, { ...alone, isAlive: async () => true }), { code: 'member_taken' });
      assert.equal(other.snapshot.backends.get('b1')?.instance, first.instance);
      const told = await until('told', withinMs, () => [...one.snapshot.turnedAway.values()].at(0));
      assert.deepEqual(told, { role: 'backend', id: 'b1', where: 'tcp://h:2' });
      await other.announce(second, { ...alone, isAlive: async () => false });
      await until('taken over', withinMs, () => (taken.length > 0 ? true : undefined));
      assert.deepEqual(taken, [second]);
      assert.equal(one.snapshot.backends.get('b1')?.address, 'tcp://h:2');
    });

    test('keeps orders to drain, whether their backend is there or not', async (t) => {
      const [one, other] = await two(t, open);
      await one.setDrain('b1', true);
      await until('known', withinMs, () => (other.snapshot.drains.has('b1') ? true : undefined));
      await other.setDrain('b1', false);
      await until('taken back', withinMs, () => (one.snapshot.drains.has('b1') ? undefined : true));
    });

    test('tells everybody of a conviction, and forgets it after its time', async (t) => {
      const [one, other] = await two(t, open);
      const conviction = { model: 'a/b', what: 'body' as const, mark: 'YQ==', by: 'r1', forMs: 2_000 };
      await one.convict(conviction);
      await until('known', withinMs, () => (other.snapshot.convictions.size === 1 ? true : undefined));
      assert.deepEqual([...other.snapshot.convictions.values()], [conviction]);
      await until('forgotten', withinMs, () => (other.snapshot.convictions.size === 0 ? true : undefined));
    });

    test('gives one member at a time its turn', async (t) => {
      const [one, other] = await two(t, open);
      const end = await one.takeTurn(withinMs);
      assert.equal(await other.takeTurn(50), undefined);
      const next = other.takeTurn(withinMs);
      await end!();
      const endNext = await next;
      assert.ok(endNext !== undefined);
      await endNext();
    });

    test('has nothing to decide while it has lost nothing', async (t) => {
      const [one] = await two(t, open);
      await assert.rejects(one.decide('accept'), { code: 'registry_not_emptied' });
    });
  });
}

const withinMs = 10_000;

const alone: AnnounceOptions = { ttlMs: 5_000, isAlive: async () => false, onTaken: () => {} };

async function two(t: TestContext, open: (t: TestContext) => Promise<() => Registry>): Promise<[Registry, Registry]> {
  const make = await open(t);
  const members: [Registry, Registry] = [make(), make()];
  t.after(() => Promise.all(members.map((member) => member.close())));
  for (const member of members) {
    await until('connected', withinMs, () => (member.standing.kind === 'connected' ? true : undefined));
  }
  return members;
}

export function modelRecord(name: string, versions: readonly number[] = [1]): ModelRecord {
  return {
    kind: 'model',
    name,
    path: name,
    versions,
    stamps: versions.map((version) => `s${version}`),
    engine: 'onnx',
    changedAtMs: 1,
  };
}

export function backend(id: string): BackendMember {
  return {
    role: 'backend',
    id,
    instance: randomUUID(),
    software: '1',
    address: 'tcp://h:1',
    engines: ['onnx'],
    labels: { gpu: 'a100' },
    taints: [],
    zone: 'z1',
    leaving: false,
  };
}
