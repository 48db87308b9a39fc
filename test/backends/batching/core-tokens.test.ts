import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CoreTicket, CoreTokens, loadLaneWidth } from '../../../src/backends/batching/core-tokens.ts';

const tickets = fc.array(
  fc.record({
    copy: fc.constantFrom('a', 'b', 'c'),
    cores: fc.integer({ min: 1, max: 6 }),
    overdraw: fc.constant(false),
    cancelled: fc.boolean(),
  }),
  { maxLength: 40 },
);
const wish = (copy: string, cores = 1, overdraw = false): CoreTicket => ({ copy, cores, overdraw });

describe('CoreTokens', () => {
  test('never grants more cores than there are, and serves every ticket that is not cancelled once', () => {
    fc.assert(
      fc.property(tickets, fc.integer({ min: 1, max: 4 }), (wanted, cores) => {
        const tokens = new CoreTokens(cores);
        const running = new Set<CoreTicket>();
        const served: CoreTicket[] = [];
        const start = (ticket: CoreTicket) => {
          running.add(ticket);
          served.push(ticket);
          assert.ok([...running].reduce((sum, { cores: taken }) => sum + Math.min(taken, cores), 0) <= cores);
        };
        for (const ticket of wanted) if (tokens.acquire(ticket)) start(ticket);
        const cancelled = wanted.filter((ticket) => {
          const granted = ticket.cancelled ? tokens.cancel(ticket) : undefined;
          for (const next of granted ?? []) start(next);
          return granted !== undefined;
        });
        for (const ticket of running) {
          running.delete(ticket);
          for (const next of tokens.release(ticket)) start(next);
        }
        assert.equal(tokens.freeCores, cores);
        assert.deepEqual(new Set([...served, ...cancelled]), new Set(wanted));
        assert.equal(served.length + cancelled.length, wanted.length);
        for (const copy of ['a', 'b', 'c']) {
          const of = (list: CoreTicket[]) => list.filter((ticket) => ticket.copy === copy);
          assert.deepEqual(
            of(served),
            of(wanted).filter((ticket) => !cancelled.includes(ticket as never)),
            'out of order',
          );
        }
      }),
    );
  });

  test('lets copies take turns, so that a long queue of one holds up nobody', () => {
    const tokens = new CoreTokens(1);
    const running = wish('busy');
    tokens.acquire(running);
    const busy = [wish('busy'), wish('busy'), wish('busy')];
    const rare = wish('rare');
    for (const ticket of [...busy, rare]) assert.equal(tokens.acquire(ticket), false);
    assert.deepEqual(tokens.release(running), [busy[0]]);
    assert.deepEqual(tokens.release(busy[0]!), [rare]);
  });

  test('does not let small runs overtake a large one for ever', () => {
    const tokens = new CoreTokens(2);
    const small = wish('small');
    const large = wish('large', 2);
    tokens.acquire(small);
    assert.equal(tokens.acquire(large), false);
    assert.equal(tokens.acquire(wish('small')), false, 'a core is free, but the large run is first in turn');
    assert.deepEqual(tokens.release(small), [large]);
  });

  test('grants what the user asked for by number at once, and makes the others wait for it', () => {
    const tokens = new CoreTokens(1);
    const given = [wish('given', 1, true), wish('given', 1, true), wish('given', 1, true)];
    for (const ticket of given) assert.equal(tokens.acquire(ticket), true);
    assert.equal(tokens.freeCores, -2);
    const other = wish('other');
    assert.equal(tokens.acquire(other), false);
    assert.deepEqual(
      given.map((ticket) => tokens.release(ticket)),
      [[], [], [other]],
    );
  });

  test('gives a run of more threads than cores all of them', () => {
    const tokens = new CoreTokens(2);
    assert.equal(tokens.acquire(wish('wide', 16)), true);
    assert.equal(tokens.freeCores, 0);
  });

  test('never grants beyond a limit that changes while runs go on, and comes to all tickets', () => {
    const limits = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(tickets, limits, (wanted, changes) => {
        const tokens = new CoreTokens(4);
        const running: CoreTicket[] = [];
        let ended = 0;
        const start = (granted: readonly CoreTicket[]) => {
          running.push(...granted);
          if (granted.length > 0) assert.ok(tokens.freeCores >= 0, `${tokens.freeCores} free of ${tokens.limit}`);
        };
        for (const ticket of wanted) if (tokens.acquire(ticket)) start([ticket]);
        for (let i = 0; running.length > 0; i++) {
          start(tokens.setLimit(changes[i % changes.length]!));
          start(tokens.release(running.shift()!));
          ended++;
        }
        assert.deepEqual([ended, tokens.heldCores, tokens.waitingCopies], [wanted.length, 0, 0]);
      }),
    );
  });

  test('does not take back cores twice', () => {
    const tokens = new CoreTokens(1);
    const ticket = wish('a');
    tokens.acquire(ticket);
    tokens.release(ticket);
    assert.throws(() => tokens.release(ticket), /does not hold/);
  });
});

describe('loadLaneWidth', () => {
  test('leaves half of the cores to runs, and loads at least one at a time', () => {
    assert.deepEqual([1, 2, 3, 8, 64].map(loadLaneWidth), [1, 1, 1, 4, 32]);
  });
});
