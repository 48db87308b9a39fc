import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { StateFeed, type StateSource } from '../../../src/backends/host/state-feed.ts';
import type { BackendState, CopyFacts, State } from '../../../src/protocol/link/messages.ts';

const backend: BackendState = {
  budgetBytes: 100,
  usedBytes: 0,
  evictionPrice: 0,
  loadsQueued: 0,
  evictions: 0,
  draining: false,
  pid: 1,
};

function copy(id: number, phase: CopyFacts['phase']): CopyFacts {
  const figures = { residentBytes: 1, peakBytes: 0, loadMs: 1, slots: 1, inFlight: 0, latencyUs: 0 };
  return { id, model: `m${id}`, version: 1, stamp: 's', phase, ...figures };
}

/** A fake host: copies that a test changes, and listeners that it tells. */
class Source implements StateSource {
  copies: CopyFacts[] = [];
  backend = backend;
  newestCopy = 0;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  snapshot() {
    return { backend: this.backend, copies: this.copies, newestCopy: this.newestCopy };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(...copies: CopyFacts[]): void {
    this.copies = copies;
    for (const listener of this.#listeners) listener();
  }
}

/** Timers and the clock that the feed reads, moved together. */
let nowMs = 0;

function pass(ms: number): void {
  nowMs += ms;
  mock.timers.tick(ms);
}

beforeEach(() => {
  nowMs = 1_000;
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(performance, 'now', () => nowMs);
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function feedOf(source: Source): State[] {
  const sent: State[] = [];
  new StateFeed(source, (state) => sent.push(state));
  return sent;
}

const summary = ({ changed, gone }: State) => [changed.map(({ id, phase }) => `${id} ${phase}`), gone];

describe('StateFeed', () => {
  test('names every copy at first, then what has changed and what is gone', () => {
    const source = new Source();
    source.copies = [copy(1, 'ready'), copy(2, 'loading')];
    const sent = feedOf(source);
    pass(200);
    source.change(copy(2, 'ready'), copy(3, 'loading'));
    pass(0);
    assert.deepEqual(sent.map(summary), [
      [['1 ready', '2 loading'], []],
      [['2 ready', '3 loading'], [1]],
    ]);
  });

  test('tells of a change at once after a quiet time, then at most every 100 ms, and the last state in any case', () => {
    const source = new Source();
    const sent = feedOf(source);
    pass(500);
    for (let i = 0; i < 30; i++) {
      source.change(copy(1, i % 2 === 0 ? 'loading' : 'ready'));
      pass(10);
    }
    pass(200);
    assert.ok(sent.length >= 4 && sent.length <= 6, `${sent.length} states in 300 ms`);
    assert.deepEqual(summary(sent.at(-1)!), [['1 ready'], []]);
  });

  test('says nothing where nothing has changed', () => {
    const source = new Source();
    const sent = feedOf(source);
    pass(500);
    source.change();
    pass(500);
    assert.equal(sent.length, 1);
    source.backend = { ...backend, usedBytes: 7 };
    source.change();
    pass(0);
    assert.deepEqual([sent.length, sent.at(-1)!.backend.usedBytes], [2, 7]);
  });

  test('leaves out a copy that came and went between two states', () => {
    const source = new Source();
    const sent = feedOf(source);
    source.change(copy(9, 'loading'));
    source.change();
    pass(500);
    assert.deepEqual(sent.map(summary), [[[], []]]);
  });

  test('sends nothing and listens no more once it was stopped', () => {
    const source = new Source();
    const sent: State[] = [];
    const feed = new StateFeed(source, (state) => sent.push(state));
    source.change(copy(1, 'ready'));
    feed.stop();
    pass(500);
    assert.deepEqual([sent.length, source.listeners], [1, 0]);
  });
});
