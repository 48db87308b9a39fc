import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { RunsReport } from '../../../src/protocol/link/runs-report.ts';
import { askRuns } from '../../../src/router/mesh/ask-runs.ts';
import type { CopyView } from '../../../src/router/mesh/copy-view.ts';

const report: RunsReport = { choices: [], learned: [], drift: 1, sessions: [2] };

/** Of a copy, what the question needs. */
function copyOn(id: string, runs?: () => Promise<RunsReport>): CopyView {
  const session = runs === undefined ? {} : { runs };
  return { session, facts: { version: 3 }, backend: { record: { id } } } as unknown as CopyView;
}

describe('askRuns', () => {
  test('tells of each copy whose backend says how it runs, and leaves the others out', async () => {
    const gone = () => Promise.reject(new SkeinError('copy_gone', { model: 'm' }));
    const copies = [copyOn('b1', () => Promise.resolve(report)), copyOn('triton'), copyOn('b2', gone)];
    assert.deepEqual(await askRuns(copies), [{ backend: 'b1', version: 3, ...report }]);
  });
});
