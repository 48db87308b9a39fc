import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CoreShare } from '../../../src/backends/host/core-share.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { ask } from './answers.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';
import { type CopySettings, jsonBody, type Outcome, type SentRequest, send, serve, turns } from './served-copy.ts';

function echoing(isQuick = true): FakeModel {
  return new FakeModel({ signature: echoSignature, compute: echo, isQuick });
}

const twoSignatures = new Map(
  ['serving_default', 'other'].map((name) => [name, { ...echoSignature, name, method: 'predict' as const }]),
);

function rowsOf(i: number, rows: number) {
  return {
    id: `r${i}`,
    x: Array.from({ length: 2 * rows }, (_, at) => i + at / 8),
    names: Array.from({ length: rows }, (_, row) => `row ${row} of ${i}`.slice(0, 3 + ((i * 7) % 9))),
  };
}

function codeOf(request: SentRequest): string | undefined {
  const outcome = request.outcome();
  return outcome?.kind === 'error' ? outcome.error.code : outcome?.kind;
}

describe('Copy', () => {
  test('joins requests of one turn in one run, and gives each its own rows back, strings too', async () => {
    const model = echoing();
    const { copy, statistics } = serve(model);
    const requests = [1, 2, 3].map((i) => ({ facts: rowsOf(i, i), sent: send(copy, rowsOf(i, i)) }));
    await until('answers', () => requests.every(({ sent }) => sent.outcome() !== undefined));
    assert.equal(model.runs.length, 1);
    assert.deepEqual(
      model.runs[0]!.inputs.map((input) => input.shape),
      [
        [6, 2],
        [6, 1],
      ],
    );
    for (const { facts, sent } of requests) assert.deepEqual(sent.outcome(), { kind: 'answer', ...facts });
    const report = statistics.report(0);
    assert.deepEqual([report.inference_count, report.execution_count], [6, 1]);
    assert.deepEqual(
      report.batch_stats.map((row) => [row.batch_size, row.compute_infer.count]),
      [[6, 1]],
    );
  });

  test('runs the signature that a request names, and joins no two signatures in a run', async () => {
    const model = new FakeModel({ signature: twoSignatures, compute: echo, isQuick: true });
    const { copy } = serve(model);
    const names = [undefined, 'other', undefined, 'other'];
    const requests = names.map((name, i) => {
      const facts = rowsOf(i, 1);
      return {
        facts,
        sent: send(copy, name === undefined ? facts : { ...facts, parameters: { signature_name: name } }),
      };
    });
    await until('answers', () => requests.every(({ sent }) => sent.outcome() !== undefined));
    for (const { facts, sent } of requests) assert.deepEqual(sent.outcome(), { kind: 'answer', ...facts });
    assert.deepEqual(model.runs.map((run) => [run.signature, run.inputs[0]!.shape[0]]).sort(), [
      ['other', 2],
      ['serving_default', 2],
    ]);
  });

  test('joins no requests without inputs: they bring no rows that could be told apart', async () => {
    const bytes = new Uint8Array(Float32Array.of(7).buffer);
    const y = { name: 'y', datatype: 'FP32' as const, shape: [1], parts: [bytes], byteLength: bytes.length };
    const signature = { inputs: [], outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1] }] };
    const { copy } = serve(new FakeModel({ signature, compute: () => [y], isQuick: true }));
    const answers = await Promise.all([1, 2].map(() => ask(copy, 'v2', '{"inputs":[]}')));
    for (const answer of answers) assert.deepEqual(JSON.parse(answer.toString()).outputs[0].data, [7]);
  });

  test('refuses a signature that the model does not have, naming those that it has', () => {
    const { copy } = serve(new FakeModel({ signature: twoSignatures, compute: echo }));
    const sent = send(copy, { ...rowsOf(1, 1), parameters: { signature_name: 'classify' } });
    const outcome = sent.outcome();
    assert.equal(codeOf(sent), 'signature_unknown');
    assert.match(outcome?.kind === 'error' ? outcome.error.message : '', /'classify'.*'serving_default','other'/);
  });

  test('answers every request once, with its own rows, whatever is cancelled, fails or comes too late', async () => {
    const request = fc.record({
      rows: fc.integer({ min: 1, max: 4 }),
      outputs: fc.constantFrom<string[] | undefined>(undefined, ['y'], ['label'], ['label', 'y']),
      fate: fc.constantFrom('wanted', 'wanted', 'wanted', 'cancelled now', 'cancelled later', 'poison'),
      gap: fc.nat(2),
    });
    const settings = fc.record({
      slots: fc.integer({ min: 1, max: 3 }),
      preserveOrdering: fc.boolean(),
      maxQueueSize: fc.constantFrom(3, 100),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 20 }), settings, async (all, chosen) => {
        const model = new FakeModel({
          signature: echoSignature,
          isQuick: true,
          compute: (inputs, wanted) => {
            if (Buffer.concat(inputs[1]!.parts).includes('poison'))
              throw new SkeinError('run_failed', { reason: 'poison' });
            return echo(inputs, wanted);
          },
        });
        const level = {
          maxQueueSize: chosen.maxQueueSize,
          defaultTimeoutMs: Infinity,
          timeoutAction: 'reject',
          allowTimeoutOverride: false,
        } as const;
        const { copy, statistics } = serve(model, {
          slots: chosen.slots,
          batching: { preserveOrdering: chosen.preserveOrdering, levels: [level] },
        });
        const answered: number[] = [];
        const sent: SentRequest[] = [];
        for (const [i, { rows, outputs, fate, gap }] of all.entries()) {
          const facts = rowsOf(i, rows);
          const names = fate === 'poison' ? [...facts.names.slice(1), 'poison'] : facts.names;
          const onOutcome = () => answered.push(i);
          sent.push(send(copy, { ...facts, names, onOutcome, ...(outputs === undefined ? {} : { outputs }) }));
          if (fate === 'cancelled now') sent[i]!.work?.cancel();
          await turns(gap);
          if (fate === 'cancelled later') sent[i]!.work?.cancel();
        }
        await copy.whenIdle();
        all.forEach(({ rows, outputs = ['y', 'label'], fate }, i) => {
          const { id, x, names } = rowsOf(i, rows);
          const outcome = sent[i]!.outcome();
          if (fate.startsWith('cancelled') && outcome === undefined) return;
          if (codeOf(sent[i]!) === 'queue_full' || codeOf(sent[i]!) === 'cancelled') return;
          if (fate === 'poison') assert.equal(codeOf(sent[i]!), 'run_failed');
          else {
            const expected: Outcome = {
              kind: 'answer',
              id,
              x: outputs.includes('y') ? x : [],
              names: outputs.includes('label') ? names : [],
            };
            assert.deepEqual(outcome, expected);
          }
        });
        const refused = sent.filter((one) => one.work === undefined).length;
        assert.equal(copy.inFlight, 0);
        assert.ok(model.mostRunning <= chosen.slots);
        const { success, fail } = statistics.report(0).inference_stats;
        assert.equal(success.count + fail.count, all.length);
        assert.ok(fail.count >= refused);
        if (chosen.preserveOrdering) {
          const inOrder = answered.filter((i) => sent[i]!.work !== undefined);
          assert.deepEqual(
            inOrder,
            [...inOrder].sort((a, b) => a - b),
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  test('runs the others of a batch by themselves when one of them fails its run', async () => {
    const model = new FakeModel({
      signature: echoSignature,
      isQuick: true,
      compute: (inputs, wanted) => {
        if (Buffer.concat(inputs[1]!.parts).includes('bad')) throw new SkeinError('run_failed', { reason: 'bad row' });
        return echo(inputs, wanted);
      },
    });
    const { copy } = serve(model);
    const sent = ['good', 'bad', 'fine'].map((name, i) => send(copy, { id: `r${i}`, x: [i, i], names: [name] }));
    await copy.whenIdle();
    assert.deepEqual(sent.map(codeOf), ['answer', 'run_failed', 'answer']);
  });

  test('fails a batch whose output does not have its rows, and says so', async () => {
    const model = new FakeModel({
      signature: echoSignature,
      isQuick: true,
      compute: (inputs, wanted) =>
        echo(inputs, wanted).map((output) => ({ ...output, shape: [1, ...output.shape.slice(1)] })),
    });
    const { copy } = serve(model);
    const sent = [1, 2].map((i) => send(copy, rowsOf(i, 1)));
    await copy.whenIdle();
    assert.deepEqual(sent.map(codeOf), ['batch_not_split', 'batch_not_split']);
  });

  test('answers before it gives the slot back where nobody waits for it, and after it where somebody does', async () => {
    const model = echoing(false);
    const { copy } = serve(model, { maxBatchSize: 1 });
    // Of the run's own slot, and runs that were begun.
    const atAnswers: (readonly [isHeld: boolean, begun: number])[] = [];
    let own = 0;
    const onOutcome = () => atAnswers.push([copy.runs.underWay.count > model.runs.length - ++own, model.runs.length]);
    send(copy, { ...rowsOf(1, 1), onOutcome });
    await turns();
    send(copy, { ...rowsOf(2, 1), onOutcome });
    await turns();
    model.runs[0]!.finish();
    await turns();
    model.runs[1]!.finish();
    await turns();
    assert.deepEqual(atAnswers, [
      [false, 2],
      [true, 2],
    ]);
    assert.equal(copy.runs.underWay.count, 0);
  });

  test('ends a run only when nobody in it wants it any more', async () => {
    const model = echoing(false);
    const { copy } = serve(model);
    const [first, second] = [send(copy, rowsOf(1, 1)), send(copy, rowsOf(2, 1))];
    await turns();
    first.work!.cancel();
    assert.equal(model.runs[0]!.signal!.aborted, false);
    model.runs[0]!.finish();
    await copy.whenIdle();
    assert.deepEqual([codeOf(first), codeOf(second)], [undefined, 'answer']);

    const [third, fourth] = [send(copy, rowsOf(3, 1)), send(copy, rowsOf(4, 1))];
    await turns();
    third.work!.cancel();
    fourth.work!.cancel();
    assert.equal(model.runs[1]!.signal!.aborted, true);
    await copy.whenIdle();
    assert.equal(copy.inFlight, 0);
  });

  const threeOfFour: [string, CopySettings][] = [
    ['where the user wrote the count, whatever the cores', { slots: 3, slotsAreGiven: true, cores: new CoreShare(1) }],
    ['where the cores take three', { slots: 4, cores: new CoreShare(3) }],
  ];
  for (const [where, settings] of threeOfFour) {
    test(`runs three at once and lets the fourth wait ${where}`, async () => {
      const model = echoing(false);
      const { copy } = serve(model, { ...settings, maxBatchSize: 1 });
      const sent = [1, 2, 3, 4].map((i) => send(copy, rowsOf(i, 1)));
      await turns();
      assert.deepEqual([model.running, model.runs.length, copy.inFlight], [3, 3, 4]);
      model.runs[1]!.finish();
      await turns();
      assert.deepEqual([model.running, model.runs.length, codeOf(sent[1]!)], [3, 4, 'answer']);
      for (const run of model.runs) run.finish();
      await copy.whenIdle();
      assert.ok(sent.every((one) => codeOf(one) === 'answer'));
    });
  }

  test('shares the cores with other copies, which take turns', async () => {
    const cores = new CoreShare(1);
    const models = [echoing(false), echoing(false)];
    const copies = models.map((model) => serve(model, { maxBatchSize: 1, cores }).copy);
    for (let i = 0; i < 3; i++) for (const copy of copies) send(copy, rowsOf(i, 1));
    const order: number[] = [];
    for (let n = 0; n < 6; n++) {
      await turns();
      assert.equal(models[0]!.running + models[1]!.running, 1);
      const at = models.findIndex((model) => model.running === 1);
      order.push(at);
      models[at]!.runs.at(-1)!.finish();
    }
    await Promise.all(copies.map((copy) => copy.whenIdle()));
    assert.deepEqual(order, [0, 1, 0, 1, 0, 1]);
  });

  test('lets answers out in the order of the requests where the model asks for that', async () => {
    const model = echoing(false);
    const order: string[] = [];
    const { copy } = serve(model, { maxBatchSize: 1, slots: 4, batching: { preserveOrdering: true } });
    const sent = [0, 1, 2, 3].map((i) => send(copy, { ...rowsOf(i, 1), onOutcome: () => order.push(`r${i}`) }));
    await turns();
    model.runs[3]!.finish();
    model.runs[2]!.fail(new SkeinError('run_failed', { reason: 'no' }));
    sent[1]!.work!.cancel();
    await turns();
    assert.deepEqual(order, []);
    model.runs[0]!.finish();
    await copy.whenIdle();
    assert.deepEqual(
      order.filter((id) => id !== 'r1'),
      ['r0', 'r2', 'r3'],
    );
  });

  test('refuses what its queue has no place for, and takes more when there is', async () => {
    const model = echoing(false);
    const level = {
      maxQueueSize: 2,
      defaultTimeoutMs: Infinity,
      timeoutAction: 'reject',
      allowTimeoutOverride: false,
    } as const;
    const { copy, statistics } = serve(model, { maxBatchSize: 1, batching: { levels: [level] } });
    send(copy, rowsOf(0, 1));
    await turns();
    const queued = [1, 2, 3].map((i) => send(copy, rowsOf(i, 1)));
    assert.deepEqual(queued.map(codeOf), [undefined, undefined, 'queue_full']);
    assert.equal(queued[2]!.work, undefined);
    assert.equal(statistics.failures.REJECTED, 1);
    model.runs[0]!.finish();
    await turns();
    assert.equal(codeOf(send(copy, rowsOf(4, 1))), undefined);
    for (let i = 1; i < 4; i++) {
      await turns();
      model.runs[i]!.finish();
    }
    await copy.whenIdle();
  });

  for (const [what, timeoutMs, level, code] of [
    ['its queue', 0, { defaultTimeoutMs: 30 }, 'queue_timeout'],
    ['its client', 30, {}, 'deadline_passed'],
  ] as const) {
    test(`tells a request that has waited longer than ${what} allows so while a run is still under way`, async () => {
      const model = echoing(false);
      const policy = {
        maxQueueSize: 9,
        defaultTimeoutMs: Infinity,
        timeoutAction: 'reject',
        allowTimeoutOverride: false,
        ...level,
      } as const;
      const { copy } = serve(model, { maxBatchSize: 1, batching: { levels: [policy] } });
      const running = send(copy, rowsOf(1, 1));
      await turns();
      const late = send(copy, { ...rowsOf(2, 1), timeoutMs });
      await until('the refusal', () => late.outcome() !== undefined);
      assert.deepEqual([codeOf(late), codeOf(running), model.running], [code, undefined, 1]);
      model.runs[0]!.finish();
      await copy.whenIdle();
      assert.equal(model.runs.length, 1);
    });
  }

  test('takes a deadline that is weeks away', async () => {
    const model = echoing(false);
    const { copy } = serve(model, { maxBatchSize: 1 });
    send(copy, rowsOf(1, 1));
    await turns();
    const patient = send(copy, { ...rowsOf(2, 1), timeoutMs: 4_000_000_000 });
    await turns();
    for (let i = 0; i < 2; i++) {
      model.runs[i]!.finish();
      await turns();
    }
    await copy.whenIdle();
    assert.equal(codeOf(patient), 'answer');
  });

  test('refuses what is not a request of the model at once, and has nothing in flight for it', () => {
    const model = echoing();
    const { copy } = serve(model);
    let code = '';
    const work = copy.infer([Buffer.from('{"inputs": [')], jsonBody, 0, {
      reply: () => assert.fail('answered'),
      fail: (error) => {
        code = error.code;
      },
      drop: () => assert.fail('dropped'),
    });
    assert.deepEqual([work, code, copy.inFlight], [undefined, 'json_malformed', 0]);
  });

  test('tells that it is idle whenever nothing is in it any more', async () => {
    const { copy, idles } = serve(echoing());
    assert.equal(copy.wasUsed, false);
    send(copy, rowsOf(1, 1));
    await copy.whenIdle();
    await turns();
    send(copy, rowsOf(2, 1)).work!.cancel();
    assert.deepEqual([idles(), copy.inFlight, copy.wasUsed], [2, 0, true]);
  });
});
