/** What every adapter keeps to, whatever it drives. Each kind runs this suite against a scripted server of its own. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Adapter, BackendSession, Exchange, InferCall } from '../../src/adapters/adapter.ts';
import type { RequestBody } from '../../src/adapters/request-body.ts';
import { SkeinError } from '../../src/protocol/errors.ts';
import { clientBody, wholeBody } from './client-body.ts';
import { RecordedBackend } from './recorded-backend.ts';
import { RecordedReply } from './recorded-reply.ts';
import type { ScriptedServer } from './scripted-server.ts';
import { atRest, until } from './until.ts';

interface AdapterUnderTest {
  readonly adapter: Adapter;
  start(): Promise<ScriptedServer>;
  /** What a client sends and is answered with, where the adapter translates: the model gives back what it is given. */
  readonly translated?: { readonly request: Buffer; readonly answer: Buffer };
}

const json = Buffer.from('{"inputs":[{"name":"x","shape":[4],"datatype":"INT8","parameters":{"binary_data_size":4}}]}');
const binary = { body: Buffer.concat([json, Buffer.from([0xff, 0x00, 0x0a, 0x80])]), headerLength: json.length };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Pieces of this size, so many that no buffer on the way holds them all. */
const pieceBytes = 64 * 1024;
const manyPieces = 1_024;

export function describeAdapter(name: string, { adapter, start, translated }: AdapterUnderTest): void {
  describe(`${name} as an adapter`, () => {
    let server: ScriptedServer;
    let backend: RecordedBackend;
    let session: BackendSession;
    let stop: AbortController;

    beforeEach(async () => {
      server = await start();
      backend = new RecordedBackend();
      stop = new AbortController();
      session = await adapter.connect(server.record, backend, stop.signal);
      await until('the first state', () => backend.copies.size === 2);
    });
    afterEach(async () => {
      session.close('the test is over');
      await server.die();
    });

    const call = (body: RequestBody, more: Partial<InferCall> = {}): InferCall => ({
      copy: backend.ofModel('first')!,
      dialect: 'v2',
      body,
      headerLength: undefined,
      timeoutMs: 0,
      traceparent: '',
      versionNamed: false,
      ...more,
    });
    const send = (given: InferCall): { reply: RecordedReply; exchange: Exchange } => {
      const reply = new RecordedReply();
      return { reply, exchange: session.infer(given, reply) };
    };
    const plain = () => translated?.request ?? Buffer.from('{"inputs":[]}');
    const isGone = () => backend.lost.length > 0 || backend.isStalled;

    describe('connect', () => {
      test('reports the copies that are there, each under a number of its own', () => {
        const copies = [...backend.copies.values()];
        assert.deepEqual(copies.map(({ model, phase }) => [model, phase]).sort(), [
          ['first', 'ready'],
          ['second', 'ready'],
        ]);
        assert.equal(new Set(copies.map(({ id }) => id)).size, 2);
      });

      test('rejects where nobody listens, with an error that may be tried again', async () => {
        await server.die();
        const refused = adapter.connect(server.record, new RecordedBackend(), stop.signal);
        await assert.rejects(refused, (fault) => fault instanceof SkeinError && fault.mayRetry);
      });

      test('ends the session when the signal fires', async () => {
        stop.abort();
        await until('the end', () => backend.lost.length > 0);
        assert.equal(backend.lost.length, 1);
      });
    });

    describe('infer', () => {
      if (translated === undefined) describeUntouchedBodies();
      else {
        test('translates the body and the answer', async () => {
          const { reply } = send(call(wholeBody(translated.request)));
          await reply.over;
          assert.equal(reply.error, undefined);
          assert.equal(reply.body.toString(), translated.answer.toString());
          assert.equal(reply.head?.bodyBytes, translated.answer.length);
        });
      }

      test('carries figures of the load with the reply', async () => {
        const { reply } = send(call(wholeBody(plain())));
        await reply.over;
        assert.ok(Number.isInteger(reply.head?.inFlight) && reply.head!.inFlight >= 0);
        assert.ok(Number.isInteger(reply.head?.latencyUs) && reply.head!.latencyUs >= 0);
      });

      test('tells a refusal in the words of the server', async () => {
        server.behave({ kind: 'refuse', text: "unexpected inference input 'z' for model 'first'" });
        const { reply } = send(call(wholeBody(plain())));
        await reply.over;
        assert.equal(reply.error?.message, "unexpected inference input 'z' for model 'first'");
        assert.equal(reply.error?.kind, 'invalid');
        assert.equal(reply.head, undefined);
      });

      test('gives up at the server what was cancelled, and says nothing more', async () => {
        server.behave({ kind: 'silent' });
        const { reply, exchange } = send(call(wholeBody(plain())));
        await until('the request', () => server.seen.length === 1);
        exchange.cancel();
        exchange.cancel();
        await until('the server to notice', () => server.givenUp === 1);
        assert.equal(reply.isOver, false);
      });

      test('fails what was under way when the server died, once, and leaves the body for another try', async () => {
        server.behave({ kind: 'silent' });
        const body = wholeBody(plain());
        const { reply } = send(call(body));
        await until('the request', () => server.seen.length === 1);
        await server.die();
        await reply.over;
        assert.ok(reply.error?.mayRetry, String(reply.error));
        await until('the news', isGone);
        assert.deepEqual(reply.late, []);
        assert.ok(body.isReplayable);
      });

      test('fails an answer that breaks off', async () => {
        server.behave({ kind: 'cut' });
        const { reply } = send(call(wholeBody(plain())));
        await reply.over;
        assert.ok(reply.error instanceof SkeinError);
        assert.deepEqual(reply.late, []);
      });
    });

    function describeUntouchedBodies(): void {
      test('leaves a binary body and its answer as they are', async () => {
        const { reply } = send(call(wholeBody(binary.body), { headerLength: binary.headerLength, traceparent }));
        await reply.over;
        assert.equal(reply.error, undefined);
        assert.deepEqual(server.seen, [{ model: 'first', ...binary, traceparent }]);
        assert.deepEqual(reply.body, binary.body);
        assert.equal(reply.head?.headerLength, binary.headerLength);
        assert.equal(reply.head?.bodyBytes, binary.body.length);
      });

      test('sends on a body of unknown length as it comes', async () => {
        const { body } = clientBody(undefined);
        const { reply } = send(call(body));
        const text = Buffer.from('{"inputs":[]}');
        for (const byte of text) {
          body.push(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        body.end();
        await reply.over;
        assert.deepEqual(reply.body, text);
        assert.equal(reply.head?.headerLength, undefined);
      });

      test('sends an empty body', async () => {
        const { reply } = send(call(wholeBody(Buffer.alloc(0))));
        await reply.over;
        assert.equal(reply.error, undefined);
        assert.equal(reply.head?.bodyBytes, 0);
      });

      test('gives up at the server what its client gave up', async () => {
        const { body } = clientBody(100);
        const { reply } = send(call(body));
        body.push(Buffer.alloc(10));
        await until('the request', () => server.begun === 1);
        body.abort();
        await until('the server to notice', () => server.givenUp === 1);
        assert.equal(reply.isOver, false);
      });

      test('lets the client wait while the server does not read, and goes on when it does', async () => {
        server.behave({ kind: 'deaf' });
        const client = clientBody(manyPieces * pieceBytes);
        send(call(client.body));
        let pushed = 0;
        for (; pushed < manyPieces && !client.isPaused; pushed++) {
          client.body.push(Buffer.alloc(pieceBytes, pushed));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await atRest(() => client.pool.usedBytes);
        assert.ok(client.isPaused, `still asking for more after ${pushed} pieces`);
        server.behave({ kind: 'silent' });
        await until('the client to be asked for more', () => !client.isPaused);
      });

      test('holds the answer back while its receiver is slow', async () => {
        const bytes = manyPieces * pieceBytes;
        server.behave({ kind: 'flood', bytes });
        const { reply, exchange } = send(call(wholeBody(plain())));
        await reply.begun;
        exchange.pause();
        await atRest(() => reply.bytes);
        assert.ok(reply.bytes < bytes / 8, `${reply.bytes} bytes came all the same`);
        assert.equal(reply.isOver, false);
        exchange.resume();
        await reply.over;
        assert.equal(reply.bytes, bytes);
      });
    }

    describe('events', () => {
      if (translated === undefined) {
        test('tell that a copy stopped being ready, and that it is ready again, under the same number', async () => {
          const { id } = backend.ofModel('first')!;
          server.setReady(false);
          await until('the copy to go', () => !backend.isReady('first'));
          assert.ok(backend.isReady('second'));
          server.setReady(true);
          await until('the copy to come back', () => backend.isReady('first'));
          assert.equal(backend.ofModel('first')?.id, id);
        });
      }

      test('tell that the server died', async () => {
        await server.die();
        await until('the news', isGone);
      });
    });

    describe('close', () => {
      test('ends what is under way, tells it once, and answers nothing afterwards', async () => {
        server.behave({ kind: 'silent' });
        const { reply } = send(call(wholeBody(plain())));
        await until('the request', () => server.seen.length === 1);
        session.close('enough');
        session.close('again');
        await reply.over;
        assert.ok(reply.error?.mayRetry);
        assert.match(reply.error?.message ?? '', /enough/);
        assert.deepEqual(backend.lost, ['enough']);
        await assert.rejects(session.describe(backend.ofModel('second')!), SkeinError);
      });

      test('leaves a session that fails what it is given', async () => {
        const copy = backend.ofModel('first')!;
        session.close('enough');
        const { reply } = send(call(wholeBody(plain()), { copy }));
        assert.equal(reply.isOver, false);
        await reply.over;
        assert.ok(reply.error?.mayRetry);
      });
    });

    describe('can', () => {
      /** What a session says it cannot do, it refuses by name. */
      const keepsItsWord = async (can: boolean, work: Promise<unknown>) => {
        if (can) return work;
        await assert.rejects(work, { code: 'backend_cannot' });
        return undefined;
      };

      test('says whether it describes a copy', async () => {
        const described = await keepsItsWord(session.can.describe, session.describe(backend.ofModel('first')!));
        if (session.can.describe) assert.ok(Object.hasOwn(Object(described), 'signature'));
      });

      test('says whether it gives statistics', async () => {
        const statistics = await keepsItsWord(session.can.statistics, session.statistics('first'));
        if (session.can.statistics) assert.equal(Array.isArray(statistics), true);
      });

      test('says whether it loads and unloads', async () => {
        const spec = { model: 'first', version: 1, directory: '', stamp: '', pinned: false, wanted: true };
        await keepsItsWord(session.can.unload, session.unload(backend.ofModel('first')!));
        if (session.can.unload) await until('the copy to go', () => !backend.isReady('first'));
        const loaded = await keepsItsWord(session.can.load, session.load(spec));
        if (session.can.load) assert.deepEqual(loaded, { ...backend.ofModel('first'), ...Object(loaded) });
        assert.ok(backend.isReady('first') || session.can.load);
      });
    });
  });
}
