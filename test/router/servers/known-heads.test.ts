import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KnownHeads } from '../../../src/router/servers/known-heads.ts';
import { defaultServerOptions } from '../../../src/router/servers/server-options.ts';
import { readStrictHead } from '../../../src/router/servers/strict-head.ts';

const head = (model: string, rest = '') =>
  Buffer.from(`POST /v2/models/${model}/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${rest}\r\n`);

describe('KnownHeads', () => {
  test('reads as the reader of heads does, the first time and again', () => {
    const known = new KnownHeads(defaultServerOptions);
    for (const bytes of [
      head('a'),
      head('b'),
      head('a', 'X: y\r\n'),
      head('a', 'TE: x\r\n'),
      head('a').subarray(0, 30),
    ]) {
      for (const behind of ['', '12345', '12345POST / HTTP/1.1\r\n\r\n']) {
        const whole = Buffer.concat([bytes, Buffer.from(behind)]);
        assert.deepEqual(known.read(whole), readStrictHead(whole, defaultServerOptions));
      }
    }
  });

  test('answers the same head without reading it, until others have pushed it out', () => {
    const known = new KnownHeads(defaultServerOptions);
    const first = known.read(head('first'));
    assert.equal(known.read(head('first')), first);
    for (let other = 0; other < 2_000; other++) known.read(head(`m${other}`));
    assert.notEqual(known.read(head('first')), first);
    assert.equal(known.read(head('m1999')), known.read(head('m1999')));
  });

  test('keeps no head that is long', () => {
    const known = new KnownHeads(defaultServerOptions);
    const long = head('a', `X: ${'y'.repeat(2_000)}\r\n`);
    assert.notEqual(known.read(long), known.read(long));
    assert.deepEqual(known.read(long), readStrictHead(long, defaultServerOptions));
  });
});
