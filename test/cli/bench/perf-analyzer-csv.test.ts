import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { perfAnalyzerCsv } from '../../../src/cli/bench/perf-analyzer-csv.ts';
import { level } from './reports.ts';

describe('perfAnalyzerCsv', () => {
  test('has the columns of perf_analyzer, in microseconds', () => {
    assert.equal(
      perfAnalyzerCsv([level]),
      'Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency,Avg latency\n' +
        '8,1234.50,20,480,4000,90,7850,50,10,12000,14100,15000,20500,12500\n',
    );
  });

  test('names a rate a rate', () => {
    assert.match(perfAnalyzerCsv([{ ...level, load: 'rate', value: 2.5 }]), /^Request Rate,[^\n]*\n2.5,/);
  });
});
