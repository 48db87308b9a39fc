import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type InFlightRequest, Quarantine } from '../../../src/router/routing/quarantine.ts';

const options = { convictionMs: 1_000, maxConvictions: 3, isolateAfterCrashes: 2, crashWindowMs: 10_000, maxModels: 3 };
const crash = { kind: 'signal', signal: 'SIGFPE' } as const;
const request = (requestId: string, changes: Partial<InFlightRequest> = {}): InFlightRequest => ({
  requestId,
  model: 'm',
  alone: false,
  ...changes,
});

describe('Quarantine', () => {
  test('makes suspects of all that were in flight at a crash, and convicts who crashes alone', () => {
    const quarantine = new Quarantine(options);
    const [poison, bystander] = [request('poison'), request('bystander', { model: 'other' })];
    assert.deepEqual(
      quarantine.processEnded(crash, [poison, bystander], 0),
      new Map([
        ['poison', 'retry_alone'],
        ['bystander', 'retry_alone'],
      ]),
    );
    assert.equal(quarantine.watches('m', 0), false);
    assert.deepEqual(
      quarantine.processEnded(crash, [{ ...poison, alone: true }], 10),
      new Map([['poison', 'convicted']]),
    );
  });

  test('spares those that ran beside a culprit, and blames its model alone', () => {
    const quarantine = new Quarantine(options);
    const beside = [request('bystander', { model: 'other' }), request('poison', { alone: true })];
    for (let at = 0; at < 2; at++) {
      assert.deepEqual([...quarantine.processEnded(crash, beside, at).values()], ['retry', 'convicted']);
    }
    assert.deepEqual([quarantine.isIsolated('m', 2), quarantine.isIsolated('other', 2)], [true, false]);
  });

  test('refuses what is convicted, of one model and of one kind', () => {
    const quarantine = new Quarantine(options);
    assert.equal(quarantine.convict('m', 'body', 'poison', 10), 1_000);
    assert.equal(quarantine.refusedForMs('m', 'body', 'poison', 10), 1_000);
    assert.equal(quarantine.refusedForMs('m', 'body', 'healthy', 10), 0);
    assert.equal(quarantine.refusedForMs('m', 'load', 'poison', 10), 0);
    assert.equal(quarantine.refusedForMs('other', 'body', 'poison', 10), 0, 'the same bytes may suit another model');
    assert.deepEqual([quarantine.watches('m', 10), quarantine.watches('other', 10)], [true, false]);
    quarantine.convict('files', 'load', '1:s', 20);
    assert.equal(quarantine.watches('files', 20), false, 'no body of it has to be looked at');
  });

  test('learns what others convicted, lists it, and forgets what is taken back', () => {
    const quarantine = new Quarantine(options);
    quarantine.learn('m', 'body', 'one', 500, 0);
    quarantine.learn('m', 'load', '1:s', 800, 0);
    assert.deepEqual(quarantine.refused(100), [
      { model: 'm', what: 'load', mark: '1:s', forMs: 700 },
      { model: 'm', what: 'body', mark: 'one', forMs: 400 },
    ]);
    assert.equal(quarantine.refused(500).length, 1);
    quarantine.pardon('m', 'load', '1:s');
    assert.deepEqual(quarantine.refused(500), []);
  });

  test('forgives after a while', () => {
    const quarantine = new Quarantine(options);
    quarantine.convict('m', 'body', 'poison', 0);
    assert.equal(quarantine.refusedForMs('m', 'body', 'poison', 999), 1);
    assert.equal(quarantine.refusedForMs('m', 'body', 'poison', 1_000), 0);
    assert.equal(quarantine.watches('m', 1_000), false);
  });

  test('suspects nobody when the process was ended from outside', () => {
    const quarantine = new Quarantine(options);
    const verdicts = quarantine.processEnded(
      { kind: 'signal', signal: 'SIGKILL' },
      [request('a'), request('b', { alone: true })],
      0,
    );
    quarantine.processEnded({ kind: 'exit', code: 0 }, [request('a')], 0);
    assert.deepEqual([...verdicts.values()], ['retry', 'retry']);
    assert.equal(quarantine.isIsolated('m', 0), false);
  });

  test('isolates a model that keeps crashing, until it has not for a while', () => {
    const quarantine = new Quarantine(options);
    quarantine.processEnded(crash, [request('a')], 0);
    assert.equal(quarantine.isIsolated('m', 0), false);
    quarantine.processEnded(crash, [request('b')], 5_000);
    assert.deepEqual(
      [5_000, 9_999, 10_000].map((nowMs) => quarantine.isIsolated('m', nowMs)),
      [true, true, false],
    );
  });

  test('shares the blame among the models that ran, so that a busy bystander is slow to be isolated', () => {
    const quarantine = new Quarantine(options);
    for (let at = 0; at < 2; at++) {
      quarantine.processEnded(
        crash,
        [
          request('a', { model: 'culprit' }),
          request('b', { model: 'bystander' }),
          request('c', { model: 'bystander' }),
        ],
        at,
      );
      quarantine.processEnded(crash, [request('a', { model: 'culprit', alone: true })], at);
    }
    assert.deepEqual([quarantine.isIsolated('culprit', 2), quarantine.isIsolated('bystander', 2)], [true, false]);
  });

  test('forgets the oldest convictions when there are too many, and never asks to hash what cannot be convicted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ model: fc.constantFrom('a', 'b', 'c', 'd', 'e'), body: fc.nat(4) }), { maxLength: 30 }),
        (crashes) => {
          const quarantine = new Quarantine(options);
          const newest: string[] = [];
          for (const [nowMs, { model, body }] of crashes.entries()) {
            quarantine.convict(model, 'body', String(body), nowMs);
            const name = `${model} ${body}`;
            newest.splice(
              0,
              newest.length,
              ...[...newest.filter((one) => one !== name), name].slice(-options.maxConvictions),
            );
            for (const known of ['a', 'b', 'c', 'd', 'e'])
              for (let hash = 0; hash <= 4; hash++) {
                const refused = quarantine.refusedForMs(known, 'body', String(hash), nowMs) > 0;
                assert.equal(refused, newest.includes(`${known} ${hash}`));
                if (refused) assert.ok(quarantine.watches(known, nowMs));
              }
          }
        },
      ),
    );
  });
});
