import assert from 'node:assert/strict';
import { test } from 'node:test';
import { http, type Served, serveFake } from './serve-fake.ts';

async function get({ send }: Served, path: string) {
  const { answers } = await send(http('GET', path), { settleMs: 0 });
  return { status: answers[0]!.status, body: JSON.parse(answers[0]!.body.toString()) };
}

test('fleetRoutes report the fleet, its models and one of them', async (t) => {
  const served = await serveFake(t);
  assert.equal((await get(served, '/fleet')).body.version, '9.9.9');
  const names = async (path: string) => (await get(served, path)).body.map(({ name }: { name: string }) => name);
  assert.deepEqual(await names('/fleet/models'), ['simple', 'multi_version']);
  assert.deepEqual(await names('/fleet/models?state=idle'), ['multi_version']);
  assert.deepEqual(await names('/fleet/models?state=failed'), []);
  assert.equal((await get(served, '/fleet/models/simple')).body.state, 'ready');
  assert.equal((await get(served, '/fleet/models/simple/explain')).body.now, 'served by b1');
});

test('fleetRoutes plan the whole fleet, or the drain of one backend', async (t) => {
  const served = await serveFake(t);
  assert.equal((await get(served, '/fleet/plan')).body.bytes, 0);
  assert.equal((await get(served, '/fleet/plan?drain=b1')).body.bytes, 1);
  assert.equal((await get(served, '/fleet/plan?drain=b0&drain=b%31')).body.bytes, 1);
});

test('fleetRoutes say what there is instead of what does not exist', async (t) => {
  const served = await serveFake(t);
  assert.equal((await get(served, '/fleet/models/nope')).status, 404);
  assert.equal((await get(served, '/fleet/plan?drain=b9')).status, 404);
  const { status, body } = await get(served, '/fleet/models?state=well');
  assert.deepEqual([status, body.error], [400, 'state=well is not one of ready, loading, idle, failed, unloaded']);
});

test('fleetRoutes that report take no other method', async (t) => {
  const { send } = await serveFake(t);
  for (const path of ['/fleet', '/fleet/models/simple/explain', '/fleet/plan']) {
    const { answers } = await send(http('POST', path, '{}'), { settleMs: 0 });
    assert.deepEqual([answers[0]!.status, answers[0]!.headers.get('allow')], [405, 'GET']);
  }
});
