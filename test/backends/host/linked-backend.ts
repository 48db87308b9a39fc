/** A backend with a fake engine that listens for routers, and requests to it over links. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendSession, ReplyObserver } from '../../../src/adapters/adapter.ts';
import type { RequestBody } from '../../../src/adapters/request-body.ts';
import { SkeinAdapter } from '../../../src/adapters/skein/skein-adapter.ts';
import { Host } from '../../../src/backends/host/host.ts';
import { LinkServer } from '../../../src/backends/host/link-server.ts';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import { FrameType, frame } from '../../../src/protocol/link/frame.ts';
import { BodyKind, encodeInferHead } from '../../../src/protocol/link/infer-head.ts';
import type { CopyFacts } from '../../../src/protocol/link/messages.ts';
import type { SharedBodies } from '../../../src/protocol/reads/shared-bodies.ts';
import { wholeBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { RecordedLink } from '../../protocol/link/recorded-link.ts';
import { FakeEngine } from './fake-engine.ts';

export const mebibyte = 2 ** 20;
let opened = 0;

interface LinkedBackend {
  readonly engine: FakeEngine;
  readonly host: Host;
  readonly server: LinkServer;
  readonly path: string;
  /** Why links ended, in order. */
  readonly reasons: string[];
  session(bodies?: SharedBodies): Promise<BackendSession>;
}

export type Owner = { after(hook: () => unknown): void };

export async function startBackend(t: Owner, bodyMemoryBytes = 64 * mebibyte): Promise<LinkedBackend> {
  const engine = new FakeEngine(temporaryDirectory(t));
  const reasons: string[] = [];
  const host = new Host({
    ...{
      id: 'b1',
      software: 'test',
      engine,
      budgetBytes: 1024 * mebibyte,
      ceilingBytes: 1024 * mebibyte,
      loads: 2,
      cores: 4,
      threads: 1,
    },
    threadsAreGiven: false,
    ...{ defaultMaxBatchSize: 8, defaultMaxQueueSize: 100, bodyMemoryBytes, warn: () => {}, trace: () => {} },
  });
  const server = new LinkServer(host, (_message, { reason }) => reasons.push(String(reason)));
  opened += 1;
  const path = join(tmpdir(), `skein-backend-link-${process.pid}-${opened}.sock`);
  await server.listen(`unix:${path}`);
  const stop = new AbortController();
  t.after(async () => {
    stop.abort();
    await server.close();
    await host.drain();
  });
  const session = (bodies?: SharedBodies) =>
    new SkeinAdapter({ id: 'r1', software: 'test' }, undefined, bodies).connect(
      { id: 'b1', kind: 'skein', address: `unix:${path}`, engines: ['onnx'] },
      { onState: () => {}, onStalled: () => {}, onLost: () => {} },
      stop.signal,
    );
  return { engine, host, server, path, reasons, session };
}

export function bodyOf(facts: { readonly id?: string; readonly name?: string } = {}): Buffer {
  const { id, name = 'a' } = facts;
  const inputs = [
    { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] },
    { name: 'name', datatype: 'BYTES', shape: [1, 1], data: [name] },
  ];
  return Buffer.from(JSON.stringify({ ...(id === undefined ? {} : { id }), inputs }));
}

/** One answer, as it comes. */
export class Answer implements ReplyObserver {
  readonly pieces: Uint8Array[] = [];
  bytes = 0;
  announced = 0;
  ended = false;
  error: SkeinError | undefined;
  requestId: string | undefined;

  onReply({ bodyBytes }: { bodyBytes: number }): void {
    this.announced = bodyBytes;
  }

  onPiece(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.bytes += piece.byteLength;
  }

  onEnd(): boolean {
    assert.ok(!this.isOver, 'answered twice');
    this.ended = true;
    return false;
  }

  onError(error: SkeinError, requestId?: string): void {
    assert.ok(!this.isOver, 'answered twice');
    this.error = error;
    this.requestId = requestId;
  }

  get isOver(): boolean {
    return this.ended || this.error !== undefined;
  }

  async over(): Promise<this> {
    await until('an answer', () => this.isOver);
    return this;
  }
}

export function ask(session: BackendSession, copy: CopyFacts, bytes: Buffer) {
  return send(session, copy, wholeBody(bytes));
}

/** A body may come in later. */
export function send(session: BackendSession, copy: CopyFacts, body: RequestBody) {
  const answer = new Answer();
  const call = {
    copy,
    dialect: 'v2' as const,
    headerLength: undefined,
    timeoutMs: 0,
    traceparent: '',
    versionNamed: false,
  };
  const exchange = session.infer({ ...call, body }, answer);
  return { answer, exchange };
}

/** A peer that writes its frames by hand. */
export async function rawRouter({ path }: LinkedBackend): Promise<{ link: RecordedLink; socket: Socket }> {
  const socket = connect(path);
  const link = new RecordedLink(socket, 'router', 'raw');
  await link.opened;
  return { link, socket };
}

export function inferFrame(stream: number, copy: number): Buffer {
  const head = {
    copy,
    kind: BodyKind.v2,
    headerLength: undefined,
    timeoutMs: 0,
    bodyBytes: undefined,
    traceparent: '',
    signature: '',
  };
  return frame(FrameType.infer, stream, encodeInferHead(head));
}

export async function loaded(
  backend: LinkedBackend,
  name: string,
  file: Parameters<FakeEngine['add']>[1],
  bodies?: SharedBodies,
) {
  const session = await backend.session(bodies);
  const spec = backend.engine.add(name, file);
  return { session, spec, copy: await session.load(spec) };
}
