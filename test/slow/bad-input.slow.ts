/** A barrage of bad requests against the whole server: each is answered with words, and it goes on as it was. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { mebibytes, milliseconds, showFigures } from '../fixtures/figures.ts';
import { writeIdentityModels } from '../fixtures/identity-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree, summedPssBytes } from '../fixtures/process-tree.ts';
import { seededRandom } from '../fixtures/random.ts';
import { type Exchange, exchange } from '../fixtures/raw-http.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { writeTritonRepository } from '../fixtures/triton-models.ts';
import { type BadRequest, barrage } from './bad-input/barrage.ts';
import { get, inferBinary, inferJson } from './bad-input/http-request.ts';
import { mutated } from './bad-input/mutate.ts';

/** The bar. */
const answeredWithinMs = 5_000;
const mutations = sized(1_500, 20_000);
const lanes = 8;
/** 60 MiB each, of which a backend takes 256 MiB at once: most of them are told to come again. */
const floods = sized(3, 8);
const atOnce = 12;
/**
 * What the process that took most has, as a multiple of that in the first flood, which leaves garbage behind that is used
 * again. Not their sum: the floods get their model a second copy, whose backend takes as much again.
 */
const grownAtMost = 1.4;

const sixteen = Array.from({ length: 16 }, (_, i) => i);
const inputs = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16], data: sixteen }));
const good = inferJson('simple', { id: 'good', inputs });
const goodBinary = inferBinary(
  'simple',
  {
    inputs: inputs.map(({ data, ...input }) => ({ ...input, parameters: { binary_data_size: 4 * data.length } })),
    outputs: [{ name: 'OUTPUT0', parameters: { binary_data: true } }, { name: 'OUTPUT1' }],
  },
  Buffer.alloc(128, 1),
);

describe('the whole server', () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;
  let pids: number[];
  let pssBytes = 0;

  after(() => skein?.kill());
  before(async () => {
    writeTritonRepository(repository);
    writeIdentityModels(repository);
    skein = await startSkein({ repository });
    for (const request of [good, goodBinary]) assert.equal((await ask(request)).status, 200);
    pids = processTree(skein.pid).map(({ pid }) => pid);
    pssBytes = summedPssBytes(pids);
  });

  const ask = async (request: Buffer) => statusOf(await exchange(skein.http, request, { settleMs: 0 }));

  test(`answers ${barrage.length} bad requests with a 4xx and what is wrong, each within 5 s`, async (t) => {
    const faults: string[] = [];
    const statuses = new Map<number, number>();
    let longestMs = 0;
    for (const bad of barrage) {
      const startMs = performance.now();
      const seen = await exchange(skein.http, bad.request, { settleMs: 0 });
      const tookMs = performance.now() - startMs;
      longestMs = Math.max(longestMs, tookMs);
      const { status } = statusOf(seen);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const fault =
        faultOf(bad, seen, tookMs) ?? ((await ask(good)).status === 200 ? undefined : 'the next good request fails');
      if (fault !== undefined) faults.push(`${bad.name}: ${fault}`);
    }
    showFigures(t, {
      longest: milliseconds(longestMs),
      ...Object.fromEntries([...statuses].map(([status, count]) => [`answered ${status}`, count])),
    });
    assert.deepEqual(faults, [], faults.join('\n'));
    assert.ok(!existsSync('/tmp/skein-evil'));
  });

  test(`answers ${mutations} good requests that were damaged at random, none with a 5xx, none late`, async (t) => {
    const random = seededRandom(20_241_011);
    const statuses = new Map<number, number>();
    const faults: string[] = [];
    let longestMs = 0;
    let left = mutations;
    const lane = async () => {
      while (left-- > 0) {
        const original = random() < 0.5 ? good : goodBinary;
        const request = random() < 0.15 ? mutated(original, random) : withBodyMutated(original, random);
        const startMs = performance.now();
        const seen = await exchange(skein.http, request, { settleMs: 0, timeoutMs: 10_000 });
        const tookMs = performance.now() - startMs;
        longestMs = Math.max(longestMs, tookMs);
        const { status, text } = statusOf(seen);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const wrong = status === 0 || status >= 500 || tookMs > answeredWithinMs || (status !== 200 && text === '');
        if (wrong)
          faults.push(
            `${status} after ${Math.round(tookMs)} ms to ${JSON.stringify(request.toString('latin1'))}: ${text}`,
          );
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    showFigures(t, {
      longest: milliseconds(longestMs),
      ...Object.fromEntries([...statuses].map(([status, count]) => [`answered ${status}`, count])),
    });
    assert.equal(faults.length, 0, `${faults.length} of them, such as ${faults.slice(0, 5).join('\n')}`);
    assert.equal((await ask(good)).status, 200);
  });

  test('answers requests that come in one piece one by one, up to the first that is broken', async () => {
    const pipelined = await exchange(skein.http, Buffer.concat(Array.from({ length: 50 }, () => good)), {
      settleMs: 2_000,
    });
    assert.deepEqual(
      pipelined.answers.map(({ status }) => status),
      Array.from({ length: 50 }, () => 200),
    );
    const bad = inferJson('simple', 'no JSON');
    const mixed = await exchange(skein.http, Buffer.concat([good, bad, good]), { settleMs: 500 });
    assert.deepEqual(
      mixed.answers.map(({ status }) => status),
      [200, 400, 200],
    );
    const broken = await exchange(skein.http, Buffer.concat([good, Buffer.from('nonsense\r\n\r\n'), good]), {
      settleMs: 500,
    });
    assert.deepEqual(
      broken.answers.map(({ status }) => status),
      [200, 400],
    );
    assert.equal(broken.connection, 'closed');
  });

  test('takes floods of 60 MiB bodies one after the other, in memory that does not grow with them', async (t) => {
    const large = inferJson('simple', `{"id":"${'x'.repeat(60 * 2 ** 20)}"}`);
    const highest: number[] = [];
    const answers: { status: number; text: string }[] = [];
    for (let flood = 0; flood < floods; flood++) {
      const watch = new HighestPss(pids);
      const exchanges = Array.from({ length: atOnce }, () =>
        exchange(skein.http, large, { settleMs: 0, timeoutMs: 60_000 }),
      );
      answers.push(...(await Promise.all(exchanges)).map(statusOf));
      highest.push(watch.stop());
    }
    const statuses = answers.map(({ status }) => status);
    showFigures(t, {
      'summed PSS before': mebibytes(pssBytes),
      'highest of one process in each flood': highest.map(mebibytes).join('/'),
      'answered 400': statuses.filter((status) => status === 400).length,
      'answered 503': statuses.filter((status) => status === 503).length,
    });
    for (const { status, text } of answers) assert.ok(status === 400 || status === 503, `${status}: ${text}`);
    assert.ok(Math.max(...highest) <= grownAtMost * highest[0]!);
  });

  test('is the same afterwards: no process has ended, everything is served', async () => {
    for (const request of [good, goodBinary, get('/v2/health/ready')]) assert.equal((await ask(request)).status, 200);
    assert.deepEqual(
      processTree(skein.pid).map(({ pid }) => pid),
      pids,
    );
  });
});

/** Of the process that has most; looks every 50 ms. */
class HighestPss {
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(pids: readonly number[]) {
    this.#timer = setInterval(() => {
      this.#bytes = Math.max(this.#bytes, ...pids.map((pid) => summedPssBytes([pid])));
    }, 50);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#bytes;
  }
}

function statusOf({ answers: [answer] }: Exchange): { status: number; text: string } {
  return { status: answer?.status ?? 0, text: answer?.body.toString() ?? '' };
}

function faultOf({ says, status: wanted }: BadRequest, seen: Exchange, tookMs: number): string | undefined {
  const { status, text } = statusOf(seen);
  if (status < 400 || status >= 500 || (wanted !== undefined && status !== wanted))
    return `${status} ${text.slice(0, 300)}`;
  if (tookMs > answeredWithinMs) return `${status} after ${Math.round(tookMs)} ms`;
  let error: unknown;
  try {
    ({ error } = JSON.parse(text) as { error: unknown });
  } catch {
    return `${status} with a body that is no JSON: ${text.slice(0, 300)}`;
  }
  return typeof error === 'string' && says.test(error)
    ? undefined
    : `${status} says '${String(error).slice(0, 300)}', not ${says}`;
}

/** Damage behind the head only, with a Content-Length that fits. */
function withBodyMutated(request: Buffer, random: () => number): Buffer {
  const bodyAt = request.indexOf('\r\n\r\n') + 4;
  const body = mutated(request.subarray(bodyAt), random);
  const head = request
    .toString('latin1', 0, bodyAt)
    .replace(/Content-Length: \d+\r\nI|Content-Length: \d+\r\n/, (line) => line.replace(/\d+/, String(body.length)));
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
