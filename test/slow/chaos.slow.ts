/** One short run of `npm run chaos`: the ledger has to balance. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { sized } from '../fixtures/suite-size.ts';

const program = join(import.meta.dirname, '../chaos/run.ts');
const minutes = sized('0.6', '10');

describe(`${minutes} minutes of chaos`, () => {
  test('leave no request unanswered, answered twice, wrong or late', async (t) => {
    const args = ['--seed', '960', '--minutes', minutes, '--rate', sized('100', '300'), '--json'];
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill());
    const [out, said, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    for (const line of said.trimEnd().split('\n')) t.diagnostic(line);
    const { sent, verdicts, rows, faults } = JSON.parse(out);
    assert.deepEqual(faults, []);
    assert.equal(status, 0);
    assert.ok(rows.length >= 3 && sent > 1_000, `${sent} requests in ${rows.length} faults`);
    assert.equal(verdicts.right + (verdicts.allowed ?? 0), sent);
  });
});
