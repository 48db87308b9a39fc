import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { azureTrace } from '../../../src/simulation/traces/azure-trace.ts';
import type { Trace } from '../../../src/simulation/traces/trace.ts';
import { readTrace } from '../../../src/simulation/traces/trace-text.ts';
import { drawBursts, ranking, zipfTrace } from '../../../src/simulation/traces/zipf-trace.ts';

const zipf = { models: 100, requests: 20_000, perSecond: 500, exponent: 1, seed: 1 };

function counted(trace: Trace): number[] {
  const counts = trace.models.map(() => 0);
  let lastMs = 0;
  for (const { atMs, model } of trace.arrivals()) {
    assert.ok(atMs >= lastMs, 'times never fall');
    lastMs = atMs;
    counts[model]! += 1;
  }
  return counts;
}

describe('zipfTrace', () => {
  test('asks for the model of rank r in proportion to 1/r, at its rate', () => {
    const trace = zipfTrace(zipf);
    const counts = counted(trace);
    const byRank = ranking(zipf);
    const total = 5.187; // of 1/r to the hundredth
    for (const rank of [1, 2, 5, 20]) {
      const expected = zipf.requests / rank / total;
      assert.ok(Math.abs(counts[byRank[rank - 1]!]! - expected) < 5 * Math.sqrt(expected), `rank ${rank}`);
    }
    const [last] = [...trace.arrivals()].slice(-1);
    assert.ok(Math.abs(last!.atMs - 40_000) < 1_500);
  });

  test('adds bursts of the most wanted models, ten times their rate for ten seconds', () => {
    const bursts = drawBursts(zipf, 3);
    const usual = counted(zipfTrace(zipf));
    const counts = counted(zipfTrace(zipf, bursts));
    const added = counts.reduce((sum, count, at) => sum + count - usual[at]!, 0);
    const expected = bursts.reduce((sum, { perSecond, forMs }) => sum + (perSecond * forMs) / 1_000, 0);
    assert.ok(Math.abs(added - expected) < 6 * Math.sqrt(expected) + 1, `${added} of ${expected}`);
    assert.ok(bursts.every(({ model }) => counts[model]! > usual[model]!));
  });

  test('can turn from one hot set to another half-way', () => {
    const all = [...zipfTrace({ ...zipf, shifts: true }).arrivals()];
    const first = ranking(zipf)[0]!;
    const share = (part: typeof all) => part.filter(({ model }) => model === first).length / part.length;
    assert.ok(share(all.slice(0, 10_000)) > 0.15 && share(all.slice(10_000)) < 0.02);
  });
});

describe('azureTrace', () => {
  test('spreads rates over orders of magnitude, about as many requests as asked for, the same every time', () => {
    const shape = { models: 1_000, minutes: 30, perSecond: 100, seed: 1 };
    const counts = counted(azureTrace(shape));
    assert.deepEqual(counted(azureTrace(shape)), counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    assert.ok(total > 0.5 * 180_000 && total < 2 * 180_000, `${total}`);
    const sorted = counts.toSorted((a, b) => b - a);
    const hottest = sorted.slice(0, 50).reduce((sum, count) => sum + count, 0);
    assert.ok(hottest > 0.6 * total, 'a twentieth of the models has most requests');
    assert.ok(sorted[500]! < 60, 'and half of them less than two a minute');
  });
});

describe('readTrace', () => {
  test('reads invocation counts as Azure publishes them', () => {
    const text = 'HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,2,0,1\no,a,g,timer,1,1,1\n';
    const read = readTrace(text, 1);
    assert.ok('trace' in read);
    assert.deepEqual(read.trace.models, ['f', 'g']);
    assert.deepEqual(counted(read.trace), [3, 3]);
    const minutes = [...read.trace.arrivals()].map(({ atMs }) => Math.floor(atMs / 60_000));
    assert.deepEqual(minutes, [0, 0, 0, 1, 2, 2]);
  });

  test('reads lines of a time and a model', () => {
    const read = readTrace('20,b\n10.5,a\n30,a\n', 1);
    assert.ok('trace' in read);
    const named = [...read.trace.arrivals()].map(({ atMs, model }) => [atMs, read.trace.models[model]]);
    assert.deepEqual(named, [
      [10.5, 'a'],
      [20, 'b'],
      [30, 'a'],
    ]);
  });

  test('says what is wrong, and where', () => {
    const faults: Record<string, RegExp> = {
      '': /empty/,
      'a,b': /line 1 is 'a,b'/,
      '5,m\n-1,m': /line 2/,
      '7,': /line 1/,
      'HashFunction,Trigger\nf,http': /none called '1'/,
      'HashFunction,1\n': /no functions/,
      'HashFunction,1\nf,-1': /line 2 has not a whole number/,
      'HashFunction,1,2\nf,1': /line 2/,
    };
    for (const [text, fault] of Object.entries(faults)) {
      const read = readTrace(text, 1);
      assert.ok('fault' in read, text);
      assert.match(read.fault, fault);
    }
  });
});
