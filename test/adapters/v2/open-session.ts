import type { BackendSession, Exchange, InferCall } from '../../../src/adapters/adapter.ts';
import { V2Adapter } from '../../../src/adapters/v2/v2-adapter.ts';
import type { V2Options } from '../../../src/adapters/v2/v2-options.ts';
import { wholeBody } from '../client-body.ts';
import { RecordedBackend } from '../recorded-backend.ts';
import { RecordedReply } from '../recorded-reply.ts';
import { type FakeV2Options, type FakeV2Server, startFakeV2Server } from './fake-v2-server.ts';
import { quickOptions } from './quick-options.ts';

interface OpenSession {
  readonly server: FakeV2Server;
  readonly backend: RecordedBackend;
  readonly session: BackendSession;
  /** One inference of the model `first` unless it says otherwise. */
  send(call?: Partial<InferCall>): { readonly reply: RecordedReply; readonly exchange: Exchange };
}

/** A session with a fake server, both gone when the test has ended. */
export async function openSession(
  owner: { after(hook: () => Promise<void>): void },
  fake: FakeV2Options = {},
  options: Partial<V2Options> = {},
): Promise<OpenSession> {
  const server = await startFakeV2Server(fake);
  owner.after(() => server.die());
  const backend = new RecordedBackend();
  const adapter = new V2Adapter({ ...quickOptions, ...options });
  const session = await adapter.connect(server.record, backend, new AbortController().signal);
  owner.after(async () => session.close('the test is over'));
  return {
    server,
    backend,
    session,
    send(call = {}) {
      const reply = new RecordedReply();
      const given: InferCall = {
        copy: backend.ofModel('first')!,
        dialect: 'v2',
        body: wholeBody(Buffer.from('{"inputs":[]}')),
        headerLength: undefined,
        timeoutMs: 0,
        traceparent: '',
        versionNamed: false,
        ...call,
      };
      return { reply, exchange: session.infer(given, reply) };
    },
  };
}
