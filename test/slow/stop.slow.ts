/** SIGTERM under load: what is under way is answered, nothing is left behind; a second SIGTERM ends at once. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, until } from '../fixtures/fleet-client.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeSlowByRequestModel, writeSlowModel, writeSlowToLoadModels } from '../fixtures/slow-models.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, failuresOf, Sender } from '../fixtures/traffic/sender.ts';

const perSecond = 20;
const runMs = 40;
/** Far below the time that a drain may take, and below the time that a connection may be idle. */
const drainMs = 15_000;

const body = binaryRequest('', [floatTensor('x', [1, 1])]);

describe('SIGTERM', () => {
  test('lets what is under way be answered, ends with 0, and leaves no process and no file', async (t) => {
    const repository = temporaryDirectory(t);
    const sockets = temporaryDirectory(t);
    writeSlowModel(repository, 'slow', runMs, { maxBatchSize: 8 });
    writeSlowToLoadModels(repository, 1, 300);
    const skein = await startSkein({ repository, env: { TMPDIR: sockets } });
    t.after(() => skein.kill());
    await load(skein.http, 'slow');
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const { pid } = skein;
    const members = processTree(pid).map((member) => member.pid);

    const traffic = new OpenLoop(sender, perSecond, () => forModel('slow', body));
    await sleep(2_000);
    // One whose model must be loaded first: it is under way, too.
    const held = sender.send(forModel('slow_load_0', binaryRequest('', [floatTensor('x', [1, 16])])));
    await sleep(50);
    const { inFlight } = await fleetOf(skein.http);
    const signalledMs = performance.now();
    const stopped = skein.stop(drainMs);
    await sleep(1_000);
    const outcomes = await traffic.stop();
    const code = await stopped;
    const tookMs = performance.now() - signalledMs;

    // Those due just before may have been sent just after.
    const accepted = outcomes.filter(({ atMs }) => atMs < signalledMs - 300);
    const late = outcomes.filter(({ atMs }) => atMs >= signalledMs);
    showFigures(t, {
      'sent before': accepted.length,
      'of them under way': inFlight,
      'of them failed': failuresOf(accepted).length,
      'longest of them': milliseconds(longestMs(accepted)),
      'sent after': late.length,
      'of them answered': late.filter(({ status }) => status !== 0).length,
      'ended after': milliseconds(tookMs),
    });
    assert.ok(inFlight > 0);
    assert.equal(describeFailures(accepted), '');
    assert.equal((await held).status, 200, (await held).problem);
    assert.equal(code, 0);
    for (const member of members) assert.throws(() => process.kill(member, 0), `process ${member} still runs`);
    assert.deepEqual(readdirSync(sockets), []);
  });

  test('takes the rest of a request whose body is on its way, and answers it', async (t) => {
    const repository = temporaryDirectory(t);
    writeSlowModel(repository, 'slow', 500);
    const skein = await startSkein({ repository });
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    await load(skein.http, 'slow');
    const underWay = sender.send(forModel('slow', body));
    // The head of a request and half its body arrive before, the rest after: it counts as under way.
    const half = Math.floor(body.body.length / 2);
    const request = httpRequest(`${skein.http}/v2/models/slow/infer`, {
      method: 'POST',
      headers: { ...body.headers, 'content-length': body.body.length },
    });
    const answered = new Promise<number>((resolve, reject) => {
      request.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      request.on('error', reject);
    });
    request.write(body.body.subarray(0, half));
    await until('both are under way', 5_000, async () =>
      (await fleetOf(skein.http)).inFlight >= 1 ? true : undefined,
    );
    await sleep(200);
    const stopped = skein.stop(drainMs);
    await sleep(300);
    request.end(body.body.subarray(half));
    assert.equal(await answered, 200);
    assert.equal((await underWay).status, 200);
    assert.equal(await stopped, 0);
  });

  test('sent twice ends at once', async (t) => {
    const repository = temporaryDirectory(t);
    writeSlowByRequestModel(repository);
    const sockets = temporaryDirectory(t);
    const skein = await startSkein({ repository, env: { TMPDIR: sockets } });
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const members = processTree(skein.pid).map((member) => member.pid);
    const long = {
      name: 'milliseconds',
      datatype: 'INT64',
      shape: [1],
      bytes: new Uint8Array(BigInt64Array.of(20_000n).buffer),
    } as const;
    const answer = sender.send(binaryRequest('slow_by_request', [floatTensor('x', [1, 1]), long]));
    await until('it runs', 30_000, async () => ((await fleetOf(skein.http)).inFlight > 0 ? true : undefined));
    process.kill(skein.pid, 'SIGTERM');
    await sleep(300);
    assert.ok(isRunning(skein), 'the first one waits for the run');
    const secondMs = performance.now();
    process.kill(skein.pid, 'SIGTERM');
    await until('every process has ended', 5_000, () => (members.some(runs) ? undefined : true));
    const tookMs = performance.now() - secondMs;
    showFigures(t, { 'ended after': milliseconds(tookMs), 'the request': (await answer).status });
    assert.ok(tookMs < 2_000, `took ${tookMs} ms`);
    assert.deepEqual(readdirSync(sockets), []);
  });
});

describe('SIGKILL', () => {
  test('leaves a socket folder and the files of load calls behind, which the next start removes', async (t) => {
    const repository = temporaryDirectory(t);
    const sockets = temporaryDirectory(t);
    const state = temporaryDirectory(t);
    writeSlowModel(repository, 'slow', 1);
    const options = { repository, env: { TMPDIR: sockets }, args: ['--state', state] };
    const left = () => [readdirSync(sockets), readdirSync(join(state, 'overrides'))].map(({ length }) => length);
    const killed = await startSkein(options);
    t.after(() => killed.kill());
    const model = readFileSync(join(repository, 'slow', '1', 'model.onnx')).toString('base64');
    const files = { config: '{"name":"sent"}', 'file:1/model.onnx': model };
    const sent = await fetch(`${killed.http}/v2/repository/models/sent/load`, {
      method: 'POST',
      body: JSON.stringify({ parameters: files }),
    });
    assert.equal(sent.status, 200, await sent.text());
    assert.deepEqual(left(), [1, 1]);
    await killed.kill();
    assert.deepEqual(left(), [1, 1]);
    const next = await startSkein(options);
    t.after(() => next.kill());
    assert.deepEqual(left(), [1, 0], 'its own socket folder alone');
    assert.equal(await next.stop(drainMs), 0);
    assert.deepEqual(left(), [0, 0]);
  });
});

function isRunning({ pid }: SkeinProcess): boolean {
  return runs(pid);
}

function runs(pid: number): boolean {
  return processTree(pid).some(({ commandLine }) => commandLine !== '');
}
