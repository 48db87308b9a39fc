import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RequestSlots, type Slot } from '../../../src/adapters/v2/request-slots.ts';

describe('RequestSlots', () => {
  test('starts what there is room for, and the rest in order as places come free', () => {
    const slots = new RequestSlots(2, 10);
    const started: number[] = [];
    const held = [0, 1, 2, 3].map((n) => slots.enter(() => started.push(n))!);
    assert.deepEqual(started, [0, 1]);
    held[1]!.leave();
    held[1]!.leave();
    assert.deepEqual(started, [0, 1, 2]);
    held[0]!.leave();
    assert.deepEqual(started, [0, 1, 2, 3]);
  });

  test('refuses where too many wait', () => {
    const slots = new RequestSlots(1, 1);
    const never = () => assert.fail('started');
    slots.enter(() => {});
    assert.ok(slots.enter(never));
    assert.equal(slots.enter(never), undefined);
    assert.equal(slots.waiting, 1);
  });

  test('starts nobody who has left the line', () => {
    const slots = new RequestSlots(1, 2);
    const first = slots.enter(() => {})!;
    const started: string[] = [];
    const gone = slots.enter(() => started.push('gone'))!;
    slots.enter(() => started.push('next'));
    gone.leave();
    first.leave();
    assert.deepEqual(started, ['next']);
  });

  test('takes a place back that is left inside its own start, however many do so', () => {
    const slots = new RequestSlots(1, 20_000);
    const first = slots.enter(() => {})!;
    let started = 0;
    for (let n = 0; n < 20_000; n++) {
      slots.enter((slot) => {
        started += 1;
        slot.leave();
      });
    }
    first.leave();
    assert.equal(started, 20_000);
    assert.equal(slots.taken, 0);
  });

  test('never has more under way than it may, and forgets nobody', () => {
    const moves = fc.array(fc.oneof(fc.constant('enter' as const), fc.nat(30)), { maxLength: 120 });
    fc.assert(
      fc.property(moves, (script) => {
        const slots = new RequestSlots(3, 5);
        const held: Slot[] = [];
        let running = 0;
        for (const move of script) {
          if (move === 'enter') {
            const slot = slots.enter(() => {
              running += 1;
            });
            if (slot !== undefined) held.push(slot);
          } else held.splice(move % (held.length || 1), 1)[0]?.leave();
          assert.ok(slots.taken <= 3);
          assert.equal(slots.taken + slots.waiting, held.length);
          assert.ok(slots.waiting === 0 || slots.taken === 3);
        }
        assert.ok(running >= slots.taken);
      }),
    );
  });

  test('run gives the place back, whether the work succeeds or fails', async () => {
    const slots = new RequestSlots(1, 1);
    const [good, bad] = [slots.run(async () => 1), slots.run(() => Promise.reject(new Error('no')))];
    await assert.rejects(
      slots.run(async () => 2),
      { code: 'queue_full' },
    );
    assert.equal(await good, 1);
    await assert.rejects(bad, /no/);
    assert.equal(await slots.run(async () => 3), 3);
  });
});
