/** The frame of the bench: spreads, verdicts, the page and the picture. What the parts measure decides no test. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { benchOptions } from '../../bench/frame/bench-options.ts';
import type { Bar, BenchPart } from '../../bench/frame/bench-part.ts';
import { verdictOf } from '../../bench/frame/bench-part.ts';
import { spreadText } from '../../bench/frame/figure-text.ts';
import { type MeasuredPart, resultsPage } from '../../bench/frame/results-page.ts';
import { resultsPicture } from '../../bench/frame/results-picture.ts';
import { type PartRecord, ResultsStore } from '../../bench/frame/results-store.ts';
import { ratioOf, spreadOf } from '../../bench/frame/spread.ts';
import type { Turn } from '../../bench/frame/turns.ts';
import { ratioBar, turnsTable } from '../../bench/frame/turns-table.ts';
import { placement } from '../../bench/parts/placement.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';

const turn = (cpuUsPerRequest: number): Turn => ({ perSecond: 1_000, p50Ms: 1, p99Ms: 2, cpuUsPerRequest });
const turns = new Map([
  ['ours', [10, 30, 20].map(turn)],
  ['theirs', [20, 50, 40].map(turn)],
]);
const ratio = { what: 'CPU over theirs', sense: 'at most', limit: 0.55 } as const;
const met = ratioBar(turns, ratio, { of: 'ours', over: 'theirs', figure: 'cpuUsPerRequest' });
const absent = ratioBar(turns, ratio, { of: 'ours', over: 'haproxy', figure: 'cpuUsPerRequest' });

const record: PartRecord = {
  measured: { date: '2026-01-01', machine: '2 cores', versions: 'Node 24' },
  rounds: 3,
  seconds: 1,
  tookSeconds: 12.3,
  bars: [met, absent],
  tables: [turnsTable('small bodies', turns)],
  notes: ['haproxy is absent.'],
};
const part: BenchPart = {
  title: 'A part',
  method: 'Measured so',
  run: () => Promise.reject(new Error('not run here')),
};
const parts: readonly MeasuredPart[] = [
  { name: 'one', part, record },
  { name: 'other', part, record: undefined },
];

describe('spreadOf', () => {
  test('has the middle of the values', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  });

  test('refuses to be of nothing', () => assert.throws(() => spreadOf([]), /nothing/));
});

describe('ratioOf', () => {
  test('divides round by round: what slowed both down falls out', () => {
    assert.deepEqual(ratioOf([10, 1_000, 10], [20, 2_000, 20]), { median: 0.5, min: 0.5, max: 0.5 });
  });
});

describe('ratioBar', () => {
  test('is met or missed by its median', () => {
    assert.deepEqual(met.figure, { median: 0.5, min: 0.5, max: 0.6 });
    assert.equal(verdictOf(met), 'met');
    assert.equal(verdictOf({ ...met, limit: 0.4 }), 'missed');
    assert.equal(verdictOf({ ...met, sense: 'at least' }), 'missed');
  });

  test('says who is absent', () => {
    assert.deepEqual(absent.figure, { missing: 'haproxy is absent' });
    assert.equal(verdictOf(absent), 'not measured');
  });
});

describe('spreadText', () => {
  test('shows three digits, and a single figure where all are alike', () => {
    assert.equal(spreadText({ median: 0.21349, min: 0.2, max: 12_345.6 }), '0.213 (0.2 to 12,346)');
    assert.equal(spreadText({ median: 17.04, min: 17.04, max: 17.04 }), '17');
  });
});

describe('resultsPage', () => {
  const page = resultsPage(parts);

  test('has a row with figure and verdict for each bar', () => {
    assert.match(page, /^\| \[one\]\(#one\) \| CPU over theirs \| at most 0.55 \| 0.5 \(0.5 to 0.6\) \| met \|$/m);
    assert.match(page, /\| haproxy is absent \| not measured \|$/m);
  });

  test('shows contenders, machine, date and rounds of each part, and which was never measured', () => {
    assert.match(page, /^\| ours \| 20 \(10 to 30\) \| 1,000 \| 1 \| 2 \|$/m);
    assert.match(page, /2026-01-01, 2 cores; Node 24. 3 rounds of 1 s, 12 s in all/);
    assert.match(page, /## other\n\n.*\n\nNot measured yet\./);
  });
});

describe('resultsPicture', () => {
  test('draws bars and contenders', () => {
    const svg = resultsPicture(parts);
    assert.match(svg, /^<svg/);
    assert.match(svg, />ours</);
    assert.match(svg, /0.5 met</);
    assert.doesNotMatch(svg, /NaN|Infinity/);
  });
});

describe('ResultsStore', () => {
  test('gives a part back as it was measured last, to four digits', (t) => {
    const store = new ResultsStore(temporaryDirectory(t));
    assert.equal(store.read('one'), undefined);
    const bar: Bar = { ...met, figure: { median: 0.123456789, min: 0.1, max: 1_234.5678 } };
    store.write('one', { ...record, bars: [bar] });
    assert.deepEqual(store.read('one')?.bars[0]?.figure, { median: 0.1235, min: 0.1, max: 1_235 });
    store.remove('one');
    assert.equal(store.read('one'), undefined);
  });
});

describe('benchOptions', () => {
  test('runs all parts, or those that are named, in their order', () => {
    assert.deepEqual(benchOptions([], ['a', 'b']).parts, ['a', 'b']);
    assert.deepEqual(benchOptions(['b', 'a', '--rounds', '3'], ['a', 'b', 'c']).parts, ['a', 'b']);
  });

  test('refuses what it does not know', () => {
    assert.throws(() => benchOptions(['x'], ['a', 'b']), /'x' is not a part of the bench; there are a, b/);
    assert.throws(() => benchOptions(['--rounds', '0'], ['a']), /--rounds must be a count from 1/);
    assert.throws(() => benchOptions(['--seconds', 'x'], ['a']), /--seconds must be/);
  });
});

describe('placement', () => {
  test('finds that two routers agree on rendezvous and not on a ring of random points', async () => {
    const { tables } = await placement.run({ rounds: 1, seconds: 0, say: () => {} });
    const [ring, own] = tables[0]!.rows;
    assert.equal(own!.cells[0], '100.0 %');
    assert.equal(own!.cells.at(-1), '0.0 %');
    assert.ok(Number.parseFloat(String(ring!.cells[0])) < 50);
  });
});
