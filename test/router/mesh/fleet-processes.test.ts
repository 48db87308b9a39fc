import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProcessEnds } from '../../../src/fleet/member-record.ts';
import { FleetProcesses } from '../../../src/router/mesh/fleet-processes.ts';
import { MemoryRegistry } from '../../fleet/memory-registry.ts';
import { backend } from '../../fleet/registry.contract.ts';

const alone = { ttlMs: 1_000, isAlive: async () => false, onTaken: () => {} };

async function announced(ends: ProcessEnds | undefined) {
  const registry = new MemoryRegistry();
  const member = { ...backend('b1'), ...(ends !== undefined && { ends }) };
  const announcement = await registry.announce(member, alone);
  const tell = (next: ProcessEnds) => announcement.update({ ...member, ends: next });
  return { processes: new FleetProcesses(registry), tell, registry };
}

describe('FleetProcesses', () => {
  test('says how a process of another host ended, whether that is told before its link is missed or after', async () => {
    const { processes, tell } = await announced({ count: 0 });
    const waiting = processes.endOf('b1');
    await tell({ count: 1, signal: 'SIGFPE' });
    const end = { kind: 'signal', signal: 'SIGFPE' };
    assert.deepEqual(await waiting, end);
    assert.deepEqual(await processes.endOf('b1'), end);
    await tell({ count: 2, code: 3 });
    assert.deepEqual(await processes.endOf('b1'), { kind: 'exit', code: 3 });
  });

  test('knows nothing where nobody tells: a host that is gone, an older member, one that was never there', async () => {
    const silent = await announced({ count: 4, signal: 'SIGSEGV' });
    assert.deepEqual(await silent.processes.endOf('b1'), { kind: 'elsewhere' }, 'an end from before is not this one');
    const { processes } = await announced(undefined);
    assert.deepEqual(await processes.endOf('b1'), { kind: 'elsewhere' });
    assert.deepEqual(await processes.endOf('b7'), { kind: 'elsewhere' });
  });

  test('has no turn while the registry does not answer', async () => {
    const { processes, registry } = await announced({ count: 0 });
    const end = await processes.takeTurn();
    await end!();
    registry.takeTurn = () => Promise.reject(new Error('away'));
    assert.equal(await processes.takeTurn(), undefined);
  });
});
