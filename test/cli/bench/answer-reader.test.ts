import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AnswerReader } from '../../../src/cli/bench/answer-reader.ts';

const withLength = 'HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nB;x=1\r\n0123\r\n\r\n567\r\n0\r\nTrailer: x\r\n\r\n';
const interim = `HTTP/1.1 100 Continue\r\n\r\n${withLength}`;
const refusal = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 22\r\n\r\n{"error":"wrong tape"}';

/** How many bytes of `answer` were read when it was complete; in pieces that end at `cuts`. */
function read(reader: AnswerReader, answer: string, cuts: readonly number[] = []): number | undefined {
  const bytes = Buffer.from(answer);
  const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    if (reader.push(bytes.subarray(from, to))) return to;
    from = to;
  }
  return undefined;
}

describe('AnswerReader', () => {
  for (const [name, answer] of Object.entries({ withLength, chunked, interim })) {
    test(`finds the end of an answer, however it is cut (${name})`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(answer.length)), (cuts) => {
          const reader = new AnswerReader();
          assert.equal(read(reader, answer, cuts), answer.length);
          assert.equal(reader.status, 200);
          reader.reset();
          assert.equal(read(reader, answer, cuts), answer.length, 'the second answer on the connection');
        }),
      );
    });
  }

  test('keeps the words of a refusal', () => {
    const reader = new AnswerReader();
    assert.equal(read(reader, refusal), refusal.length);
    assert.deepEqual([reader.status, reader.text], [400, '{"error":"wrong tape"}']);
  });

  test('keeps the words of a refusal that comes in chunks, however it is cut', () => {
    const answer = chunked.replace('200 OK', '503 Busy');
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length)), (cuts) => {
        const reader = new AnswerReader();
        assert.equal(read(reader, answer, cuts), answer.length);
        assert.equal(reader.text, 'hel0123\r\n\r\n567');
      }),
    );
  });

  test('takes the end of the connection for the end of an answer without a length', () => {
    const reader = new AnswerReader();
    assert.equal(read(reader, 'HTTP/1.0 200 OK\r\n\r\nwhatever'), undefined);
    assert.equal(reader.end(), true);
  });

  test('does not take a cut connection for the end of an answer with a length', () => {
    const reader = new AnswerReader();
    read(reader, withLength.slice(0, -1));
    assert.equal(reader.end(), false);
  });

  test('says when the server closes the connection after the answer', () => {
    const reader = new AnswerReader();
    read(reader, 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    assert.equal(reader.closes, true);
  });

  const malformed: readonly [string, RegExp][] = [
    ['SSH-2.0-OpenSSH\r\n\r\n', /not HTTP/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger', /more than the length/],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', /not the size of a chunk/],
    [`HTTP/1.1 200 OK\r\n${'x'.repeat(70_000)}`, /does not end/],
  ];
  for (const [answer, reason] of malformed) {
    test(`refuses ${JSON.stringify(answer.slice(0, 60))}`, () => {
      assert.throws(() => read(new AnswerReader(), answer), reason);
    });
  }
});
