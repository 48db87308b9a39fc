import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LatencyHistogram } from '../../../src/cli/bench/latency-histogram.ts';
import { percentilePicture } from '../../../src/cli/bench/percentile-picture.ts';
import { terminalChart } from '../../../src/cli/bench/terminal-chart.ts';
import { level } from './reports.ts';

describe('terminalChart', () => {
  test('draws bars in proportion', () => {
    const half = { ...level, value: 1, inferencesPerSecond: level.inferencesPerSecond / 2 };
    const lines = terminalChart([half, level]).split('\n');
    const blocks = lines.map((line) => line.match(/█+/)?.[0].length ?? 0);
    assert.deepEqual(blocks.slice(1, 3), [25, 50]);
    assert.match(lines[5]!, /█▓+░+ 12.0 \/ 14.1 \/ 20.5 ms$/);
  });
});

describe('percentilePicture', () => {
  test('draws a curve that rises with the percentile, for each level', () => {
    const latency = new LatencyHistogram();
    for (let i = 1; i <= 1000; i++) latency.record(i * 10);
    const svg = percentilePicture('m <1>', [
      { name: '1 connection', latency },
      { name: '8 connections', latency },
    ]);
    const curves = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points!);
    assert.equal(curves.length, 2);
    const heights = curves[0]!.split(' ').map((point) => Number(point.split(',')[1]));
    for (const [i, height] of heights.entries()) assert.ok(i === 0 || height <= heights[i - 1]!);
    assert.ok(heights.at(-1)! < heights[0]! - 50);
    assert.match(svg, /m &#60;1&#62;/);
    assert.doesNotMatch(svg, /NaN|Infinity/);
  });
});
