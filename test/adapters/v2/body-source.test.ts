import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodySource } from '../../../src/adapters/v2/body-source.ts';
import { clientBody, wholeBody } from '../client-body.ts';

const never = () => assert.fail('the client did not go away');
const opened = (body: ReturnType<typeof wholeBody>, onClientGone: () => void = never) => {
  const source = new BodySource(body, onClientGone);
  source.open();
  return source;
};
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('BodySource', () => {
  test('hands out a whole body as the very bytes that came', () => {
    const bytes = Buffer.from('whole');
    assert.equal(opened(wholeBody(bytes)).takeOutgoing(), bytes);
  });

  test('joins a few small pieces, so that they go out in one write', () => {
    const { body } = clientBody(6);
    for (const piece of ['ab', 'cd', 'ef']) body.push(Buffer.from(piece));
    body.end();
    assert.equal(text(opened(body).takeOutgoing() as Uint8Array), 'abcdef');
  });

  test('is an iterable of the pieces where the body is still to come', async () => {
    const { body } = clientBody(undefined);
    const source = opened(body);
    assert.equal(source.takeOutgoing(), source);
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of source) pieces.push(text(piece));
    })();
    for (const piece of ['ab', 'c', 'def']) {
      body.push(Buffer.from(piece));
      await new Promise((resolve) => setImmediate(resolve));
    }
    body.end();
    await reading;
    assert.deepEqual(pieces, ['ab', 'c', 'def']);
  });

  test('lets the client wait while nobody takes its pieces', async () => {
    const client = clientBody(undefined, 0);
    const source = opened(client.body);
    let pushed = 0;
    for (; !client.isPaused && pushed < 100; pushed++) client.body.push(Buffer.alloc(64 * 1024));
    assert.equal(pushed, 4);
    await source.next();
    assert.equal(client.isPaused, false);
  });

  test('lets the body go when it is closed, for another to take it from the start', async () => {
    const client = clientBody(undefined);
    const first = opened(client.body);
    client.body.push(Buffer.from('ab'));
    const waiting = first.next().then(() => first.next());
    await Promise.resolve();
    first.close();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    client.body.push(Buffer.from('cd'));
    client.body.end();
    assert.equal(text(opened(client.body).takeOutgoing() as Uint8Array), 'abcd');
  });

  test('does not leave the client paused when it is closed', () => {
    const client = clientBody(undefined, 1024 * 1024);
    const source = opened(client.body);
    for (let n = 0; n < 100; n++) client.body.push(Buffer.alloc(64 * 1024));
    assert.equal(client.isPaused, true);
    source.close();
    assert.equal(client.isPaused, false);
  });

  test('tells that the client went away, and ends', async () => {
    const { body } = clientBody(undefined);
    let isGone = false;
    const source = opened(body, () => {
      isGone = true;
    });
    const waiting = source.next();
    body.abort();
    assert.equal(isGone, true);
    assert.deepEqual(await waiting, { done: true, value: undefined });
  });
});
