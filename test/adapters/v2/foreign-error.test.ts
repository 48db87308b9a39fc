import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { foreignError } from '../../../src/adapters/v2/foreign-error.ts';
import { httpStatus } from '../../../src/protocol/v2/status.ts';

const refusal = (status: number, body: unknown) =>
  foreignError('b', { status, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });

describe('foreignError', () => {
  test('keeps the words, and the status where the dialect has it', () => {
    for (const status of [400, 403, 404, 500, 501, 503]) {
      const error = refusal(status, { error: 'Request for unknown model: {model} is not found' });
      assert.equal(error.message, 'Request for unknown model: {model} is not found');
      assert.equal(httpStatus(error.kind), status);
      assert.equal(error.facts['status'], status);
    }
  });

  test('takes the nearest status for one that the dialect has not', () => {
    const nearest = [401, 405, 409, 410, 422, 429, 502, 504, 507].map((status) => {
      return [status, httpStatus(refusal(status, { error: 'e' }).kind)];
    });
    assert.deepEqual(Object.fromEntries(nearest), {
      401: 403,
      405: 501,
      409: 400,
      410: 404,
      422: 400,
      429: 503,
      502: 503,
      504: 503,
      507: 500,
    });
  });

  test('lets the request go elsewhere only where the server is too busy or away', () => {
    const mayRetry = [400, 404, 429, 500, 501, 502, 503, 504].filter((status) => refusal(status, {}).mayRetry);
    assert.deepEqual(mayRetry, [429, 502, 503, 504]);
  });

  test('reads the details of servers built on FastAPI', () => {
    assert.equal(refusal(422, { detail: 'Model not ready' }).message, 'Model not ready');
    assert.equal(refusal(422, { detail: [{ loc: ['inputs'] }] }).message, '[{"loc":["inputs"]}]');
  });

  test('says what came where nothing was said in JSON', () => {
    assert.equal(
      refusal(502, '<html>Bad Gateway</html>').message,
      "backend 'b' answered with HTTP status 502 and said: <html>Bad Gateway</html>",
    );
    assert.equal(refusal(500, '').message, "backend 'b' answered with HTTP status 500 and said nothing");
    assert.ok(refusal(500, 'x'.repeat(100_000)).message.length < 400);
    assert.equal(refusal(400, 'null').code, 'foreign_invalid');
  });

  test('calls a redirection an answer that cannot be used', () => {
    assert.equal(refusal(307, '').code, 'reply_malformed');
  });
});
