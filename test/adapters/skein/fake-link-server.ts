/** A fake of a Skein backend: the link is the real one, what is behind it is a script. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendRecord } from '../../../src/adapters/adapter.ts';
import { LinkConnection } from '../../../src/protocol/link/connection.ts';
import { FrameType, flagEnd, maxDataBytes } from '../../../src/protocol/link/frame.ts';
import { decodeInferHead, encodeReplyHead, type InferHead } from '../../../src/protocol/link/infer-head.ts';
import type { Call, CallResult, CopyFacts, State } from '../../../src/protocol/link/messages.ts';
import type { SlabHolder } from '../../../src/protocol/reads/slab-reads.ts';
import type { Behaviour, ScriptedServer, SeenRequest } from '../scripted-server.ts';

const id = 'b1';
const models = ['first', 'second'] as const;
let started = 0;

export async function startFakeLinkServer(): Promise<ScriptedServer> {
  started += 1;
  const path = join(tmpdir(), `skein-fake-link-${process.pid}-${started}.sock`);
  const script = new Script();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    script.accept(socket);
  });
  await listen(server, path);
  const record: BackendRecord = { id, kind: 'skein', address: `unix:${path}`, engines: ['echo'] };
  return {
    record,
    seen: script.seen,
    get begun() {
      return script.begun;
    },
    get givenUp() {
      return script.givenUp;
    },
    behave: (behaviour) => script.behave(behaviour),
    setReady: (ready) => script.setReady(ready),
    async die() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(path, { force: true });
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

interface Stream extends SlabHolder {
  readonly head: InferHead;
  readonly pieces: Buffer[];
  ungranted: number;
}

/** One script for all links: behaviour, copies, and what was seen. */
class Script {
  readonly seen: SeenRequest[] = [];
  begun = 0;
  givenUp = 0;
  behaviour: Behaviour = { kind: 'echo' };
  #isReady = true;
  readonly #links = new Set<FakeBackendLink>();

  accept(socket: Socket): void {
    const link: FakeBackendLink = new FakeBackendLink(socket, this, () => this.#links.delete(link));
    this.#links.add(link);
  }

  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
    for (const link of this.#links) link.grantAll();
  }

  setReady(ready: boolean): void {
    this.#isReady = ready;
    for (const link of this.#links) link.tell(this.state());
  }

  state(): State {
    const backend = {
      budgetBytes: 2 ** 30,
      usedBytes: 0,
      evictionPrice: 0,
      loadsQueued: 0,
      evictions: 0,
      draining: false,
      pid: process.pid,
    };
    return { backend, changed: models.map((_, index) => this.copy(index)), gone: [] };
  }

  copy(index: number): CopyFacts {
    const phase = index === 0 && !this.#isReady ? 'draining' : 'ready';
    const [model, figures] = [models[index]!, { residentBytes: 1, peakBytes: 1, loadMs: 1, latencyUs: 100 }];
    return { id: index + 1, model, version: 1, stamp: 's', phase, slots: 1, inFlight: 0, ...figures };
  }

  answer(call: Call): unknown {
    switch (call.verb) {
      case 'load':
        this.setReady(true);
        return this.copy(0);
      case 'unload':
        this.setReady(false);
        return null;
      case 'held':
        return null;
      case 'describe':
        return { platform: 'echo', signature: { inputs: [], outputs: [] }, maxBatchSize: 0, config: {} };
      case 'statistics':
        return [];
      case 'runs':
        return { choices: [], learned: [], drift: 1, sessions: [1] };
      case 'engine':
        return {};
      case 'share':
        throw new Error('this end reads no memory of others');
      case 'file':
        throw new Error('this end has no files of others');
      case 'find':
        return { versions: [1], stamps: ['s1'], changedAtMs: 1 };
      default:
        return call satisfies never;
    }
  }
}

class FakeBackendLink {
  readonly #script: Script;
  readonly #socket: Socket;
  readonly #link: LinkConnection;
  readonly #streams = new Map<number, Stream>();

  constructor(socket: Socket, script: Script, onClosed: () => void) {
    this.#script = script;
    this.#socket = socket;
    this.#link = new LinkConnection(
      socket,
      { role: 'backend', id, software: 'fake' },
      {
        onOpen: () => this.tell(script.state()),
        onFrame: (type, stream, flags, payload) => this.#onFrame(type, stream, flags, payload),
        onData: (stream, piece, end) => this.#onData(stream, piece, end),
        onCaughtUp: () => {},
        onClose: onClosed,
      },
    );
  }

  tell(state: State): void {
    this.#link.sendJson(FrameType.state, 0, state);
  }

  grantAll(): void {
    for (const [stream, open] of this.#streams) this.#grant(stream, open);
  }

  #onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    if (type === FrameType.infer) {
      this.#script.begun += 1;
      this.#streams.set(stream, { head: decodeInferHead(payload), pieces: [], ungranted: 0, holds: undefined });
      if ((flags & flagEnd) !== 0) this.#onData(stream, payload.subarray(0, 0), true);
    } else if (type === FrameType.cancel) {
      this.#link.dropBody(stream);
      if (this.#streams.delete(stream)) this.#script.givenUp += 1;
    } else if (type === FrameType.call) {
      const ok = this.#script.answer(JSON.parse(payload.toString()) as Call);
      this.#link.sendJson(FrameType.result, stream, { ok } satisfies CallResult);
    }
  }

  #onData(stream: number, piece: Buffer, end: boolean): void {
    const open = this.#streams.get(stream);
    if (open === undefined) return;
    open.pieces.push(this.#link.keep(piece, open, 0));
    open.ungranted += piece.length;
    if (end) this.#serve(stream, open);
    else this.#grant(stream, open);
  }

  #grant(stream: number, open: Stream): void {
    if (this.#script.behaviour.kind === 'deaf' || open.ungranted === 0) return;
    this.#link.grant(stream, open.ungranted);
    open.ungranted = 0;
  }

  #serve(stream: number, { head, pieces }: Stream): void {
    const { behaviour, seen } = this.#script;
    const { headerLength, traceparent } = head;
    const body = Buffer.concat(pieces);
    seen.push({ model: models[head.copy - 1]!, headerLength, traceparent, body });
    switch (behaviour.kind) {
      case 'echo':
        this.#reply(stream, headerLength, [body]);
        return;
      case 'flood':
        this.#reply(stream, undefined, Array(behaviour.bytes / maxDataBytes).fill(Buffer.alloc(maxDataBytes)));
        return;
      case 'refuse': {
        this.#streams.delete(stream);
        this.#link.sendJson(FrameType.error, stream, { code: 'run_failed', facts: { reason: behaviour.text } });
        return;
      }
      case 'cut':
        this.#cut(stream, body);
        return;
      case 'silent':
      case 'deaf':
        return;
      default:
        behaviour satisfies never;
    }
  }

  #reply(stream: number, headerLength: number | undefined, parts: readonly Buffer[]): void {
    this.#streams.delete(stream);
    const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const head = encodeReplyHead({ headerLength, bodyBytes, inFlight: 0, latencyUs: 100 });
    this.#link.send(FrameType.reply, stream, head, bodyBytes === 0 ? flagEnd : 0);
    if (bodyBytes === 0) return;
    parts.forEach((part, index) => {
      this.#link.sendBody(stream, part, index === parts.length - 1);
    });
  }

  #cut(stream: number, body: Buffer): void {
    const head = encodeReplyHead({ headerLength: undefined, bodyBytes: body.length, inFlight: 0, latencyUs: 100 });
    this.#link.send(FrameType.reply, stream, head);
    this.#link.sendBody(stream, body.subarray(0, body.length / 2), false);
    setTimeout(() => this.#socket.destroySoon(), 10);
  }
}
