import type { Socket } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';
import { LinkConnection } from '../../protocol/link/connection.ts';
import { withTickets } from '../../protocol/link/file-ticket.ts';
import { FrameType, flagEnd } from '../../protocol/link/frame.ts';
import { LinkRuleBroken } from '../../protocol/link/frame-reader.ts';
import type { LinkSelf } from '../../protocol/link/handshake.ts';
import { type BodyDialect, BodyKind, decodeReplyHead } from '../../protocol/link/infer-head.ts';
import { fromLinkError } from '../../protocol/link/link-error.ts';
import type { LinkSecret } from '../../protocol/link/link-proof.ts';
import type {
  Call,
  CallResult,
  CopyDescription,
  CopyFacts,
  CopySpec,
  FilePiece,
  Hello,
  LinkError,
  ModelFinding,
  State,
} from '../../protocol/link/messages.ts';
import { NumberedTable } from '../../protocol/link/numbered-table.ts';
import type { RunsReport } from '../../protocol/link/runs-report.ts';
import type { SharedBodies } from '../../protocol/reads/shared-bodies.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import type { BackendEvents, BackendSession, Capabilities, Exchange, InferCall, ReplyObserver } from '../adapter.ts';
import { BodyLoans } from './body-loans.ts';
import { InferStream } from './infer-stream.ts';

const can: Capabilities = {
  load: true,
  unload: true,
  describe: true,
  statistics: true,
  bodies: Object.keys(BodyKind) as BodyDialect[],
};

type CallStream = { readonly settle: (result: CallResult) => void; readonly fail: (error: SkeinError) => void };

/** The router's end of a link to one Skein backend: many requests and calls at once over one connection. */
export class SkeinSession implements BackendSession {
  readonly can = can;
  readonly #id: string;
  readonly #secret: LinkSecret | undefined;
  readonly #events: BackendEvents;
  readonly #link: LinkConnection;
  readonly #infers = new NumberedTable<InferStream>();
  readonly #calls = new Map<number, CallStream>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #bodies: SharedBodies | undefined;
  /** Once the backend reads the memory that bodies are in. */
  #loans: BodyLoans | undefined;
  #nextStream = 1;
  #software: string | undefined;

  /** `bodies`: memory that a backend on this host may read bodies from. */
  constructor(
    socket: Socket,
    backendId: string,
    self: Omit<LinkSelf, 'role'>,
    events: BackendEvents,
    bodies?: SharedBodies,
  ) {
    this.#id = backendId;
    this.#secret = self.secret;
    this.#events = events;
    this.#bodies = bodies;
    this.#link = new LinkConnection(
      socket,
      { ...self, role: 'router' },
      {
        onOpen: (peer) => this.#onOpen(peer),
        onFrame: (type, stream, flags, payload) => this.#onFrame(type, stream, flags, payload),
        onData: (stream, piece, end) => this.#onData(stream, piece, end),
        onCaughtUp: (stream) => this.#infers.get(stream)?.onCaughtUp(),
        onClose: (reason) => this.#onClose(reason),
      },
    );
  }

  /** Settles with the handshake. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get software(): string | undefined {
    return this.#software;
  }

  get lastHeardMs(): number {
    return this.#link.lastHeardMs;
  }

  ping(): void {
    this.#link.ping();
  }

  infer(call: InferCall, observer: ReplyObserver): Exchange {
    if (!this.#link.isOpen) return this.#refuse(observer);
    const wires = { link: this.#link, open: this.#infers, loans: this.#loans };
    const stream = new InferStream(wires, this.#takeStream(), call.body, observer);
    stream.send(call);
    return stream;
  }

  load(copy: CopySpec): Promise<CopyFacts> {
    const { peers } = copy;
    const told = peers === undefined ? copy : { ...copy, peers: withTickets(peers, this.#id, this.#secret) };
    return this.#call<CopyFacts>({ verb: 'load', copy: told });
  }

  async unload(copy: CopyFacts): Promise<void> {
    await this.#call({ verb: 'unload', copy: copy.id });
  }

  async held(copy: CopyFacts, requests: number): Promise<void> {
    await this.#call({ verb: 'held', copy: copy.id, requests });
  }

  describe(copy: CopyFacts): Promise<CopyDescription> {
    return this.#call<CopyDescription>({ verb: 'describe', copy: copy.id });
  }

  runs(copy: CopyFacts): Promise<RunsReport> {
    return this.#call<RunsReport>({ verb: 'runs', copy: copy.id });
  }

  find(path: string): Promise<ModelFinding> {
    return this.#call<ModelFinding>({ verb: 'find', path });
  }

  readFile(sha256: string, offsetBytes: number): Promise<FilePiece> {
    return this.#call<FilePiece>({ verb: 'file', sha256, offsetBytes });
  }

  statistics(model?: string): Promise<readonly ModelStatistics[]> {
    return this.#call<readonly ModelStatistics[]>(
      model === undefined ? { verb: 'statistics' } : { verb: 'statistics', model },
    );
  }

  close(reason: string): void {
    this.#link.close(reason);
  }

  /** Nothing that is sent on a closed link is ever answered. Whoever asks has the exchange in hand before it ends. */
  #refuse(observer: ReplyObserver): Exchange {
    let isOver = false;
    const error = new SkeinError('link_broken', { backend: this.#id, reason: 'the link is closed' });
    queueMicrotask(() => {
      if (!isOver) observer.onError(error);
    });
    return {
      cancel: () => {
        isOver = true;
      },
      pause: () => {},
      resume: () => {},
    };
  }

  #call<T>(call: Call): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#link.isOpen) {
        reject(new SkeinError('link_broken', { backend: this.#id, reason: 'the link is closed' }));
        return;
      }
      const stream = this.#takeStream();
      this.#calls.set(stream, {
        settle: (result) => ('ok' in result ? resolve(result.ok as T) : reject(fromLinkError(result.error))),
        fail: reject,
      });
      this.#link.sendJson(FrameType.call, stream, call);
    });
  }

  #takeStream(): number {
    const stream = this.#nextStream;
    // Wraps after four thousand million requests; by then the low numbers are long answered.
    this.#nextStream = stream === 0xffff_ffff ? 1 : stream + 1;
    return stream;
  }

  #onOpen(peer: Hello): void {
    if (peer.role !== 'backend' || peer.id !== this.#id) {
      this.#link.close(`expected backend '${this.#id}', reached ${peer.role} '${peer.id}'`);
      return;
    }
    this.#software = peer.software;
    this.#opened.resolve();
    if (this.#bodies !== undefined) void this.#share(this.#bodies);
  }

  async #share(bodies: SharedBodies): Promise<void> {
    try {
      await this.#call({ verb: 'share', path: bodies.path, bytes: bodies.bytes.byteLength });
    } catch {
      return; // it cannot read it: bodies are sent
    }
    this.#loans = new BodyLoans(this.#link, bodies);
  }

  #onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    switch (type) {
      case FrameType.reply: {
        this.#loans?.settle(stream);
        const infer = this.#infers.get(stream);
        if (infer === undefined) return; // cancelled meanwhile
        infer.onReply(decodeReplyHead(payload));
        if ((flags & flagEnd) !== 0) this.#onData(stream, payload.subarray(0, 0), true);
        return;
      }
      case FrameType.error:
        this.#onError(stream, JSON.parse(payload.toString()) as LinkError);
        return;
      case FrameType.returned:
        this.#loans?.settle(stream);
        return;
      case FrameType.result: {
        const result = JSON.parse(payload.toString()) as CallResult;
        const call = this.#calls.get(stream);
        call?.settle(result);
        this.#calls.delete(stream);
        return;
      }
      case FrameType.state: {
        const state = JSON.parse(payload.toString()) as State;
        this.#events.onState(state.backend, state.changed, state.gone);
        return;
      }
      default:
        throw new LinkRuleBroken(`frame of type ${type} from a backend`);
    }
  }

  #onError(stream: number, fault: LinkError): void {
    this.#loans?.settle(stream);
    this.#infers.get(stream)?.onError(fromLinkError(fault), fault.requestId);
  }

  #onData(stream: number, piece: Buffer, end: boolean): void {
    this.#infers.get(stream)?.onData(piece, end);
  }

  #onClose(reason: string): void {
    const error = new SkeinError('link_broken', { backend: this.#id, reason });
    this.#opened.reject(error);
    this.#opened.promise.catch(() => {}); // nobody may be waiting any more
    // Whoever listens first learns of the loss, so that retries of the requests below do not choose this backend again.
    this.#events.onLost(reason);
    for (const call of this.#calls.values()) call.fail(error);
    this.#calls.clear();
    for (const [, infer] of this.#infers.entries()) infer.onError(error);
    this.#loans?.close();
  }
}
