/**
 * An adapter for the least that a server can be: it takes rows of numbers at a URL and gives rows back. It lists, loads,
 * describes and counts nothing, and its bodies are not the clients'. Not a product: it shows that the interface carries
 * such servers, and keeps it so.
 */
import type {
  Adapter,
  BackendEvents,
  BackendRecord,
  BackendSession,
  Capabilities,
  Exchange,
  InferCall,
  ReplyObserver,
} from '../../../src/adapters/adapter.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { CopyFacts } from '../../../src/protocol/link/messages.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import { encodeInferResponse } from '../../../src/protocol/v2/encode-infer.ts';

const can: Capabilities = { load: false, unload: false, describe: false, statistics: false, bodies: [] };
const pollMs = 10;

/** What a person would have to declare of such a model, because nobody can be asked. */
const signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, -1] }],
} as const;

export class RowAdapter implements Adapter {
  readonly kind = 'rows';

  async connect(target: BackendRecord, events: BackendEvents, signal: AbortSignal): Promise<BackendSession> {
    const session = new RowSession(target, events);
    await session.open();
    signal.addEventListener('abort', () => session.close('the router stops'), { once: true });
    return session;
  }
}

class RowSession implements BackendSession {
  readonly can = can;
  readonly #target: BackendRecord;
  readonly #events: BackendEvents;
  readonly #underWay = new Map<AbortController, (error: SkeinError) => void>();
  #timer: NodeJS.Timeout | undefined;
  #isStalled = false;
  #closed: string | undefined;

  constructor(target: BackendRecord, events: BackendEvents) {
    this.#target = target;
    this.#events = events;
  }

  async open(): Promise<void> {
    if (!(await this.#lives())) throw this.#broken('nobody listens');
    const state = {
      budgetBytes: 0,
      usedBytes: 0,
      evictionPrice: 0,
      loadsQueued: 0,
      evictions: 0,
      draining: false,
      pid: 0,
    };
    this.#events.onState(state, (this.#target.models ?? []).map(copyOf), []);
    this.#timer = setInterval(() => void this.#watch(), pollMs);
  }

  infer(call: InferCall, observer: ReplyObserver): Exchange {
    const given = new AbortController();
    const end = (tell: () => void) => {
      if (!this.#underWay.delete(given)) return;
      call.body.detach();
      tell();
    };
    const fail = (error: SkeinError) => end(() => observer.onError(error));
    const cancel = () => {
      end(() => {});
      given.abort();
    };
    this.#underWay.set(given, fail);
    const pieces: Uint8Array[] = [];
    call.body.attach({
      onPiece: (piece, isLast) => {
        pieces.push(piece);
        if (isLast) {
          this.#ask(call, pieces, given.signal).then(
            (answer) => end(() => relay(answer, observer)),
            (fault) => fail(fault instanceof SkeinError ? fault : this.#broken(String(fault))),
          );
        }
        return true;
      },
      onAborted: cancel,
    });
    return { cancel, pause: () => {}, resume: () => {} };
  }

  load = (): Promise<never> => this.#refuse('load models');
  unload = (): Promise<never> => this.#refuse('unload models');
  describe = (): Promise<never> => this.#refuse('describe models');
  statistics = (): Promise<never> => this.#refuse('give statistics');

  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    clearInterval(this.#timer);
    this.#events.onLost(reason);
    for (const [given, fail] of [...this.#underWay]) {
      fail(this.#broken(reason));
      given.abort();
    }
  }

  /** From the client's tensors to rows, and back. */
  async #ask({ copy, headerLength }: InferCall, body: readonly Uint8Array[], signal: AbortSignal): Promise<Buffer> {
    if (this.#closed !== undefined) throw this.#broken(this.#closed);
    const request = decodeInferRequest(body, headerLength, { model: copy.model, maxBatchSize: 0, signature });
    const [x] = request.inputs;
    const values = new Float32Array(new Uint8Array(Buffer.concat(x!.parts)).buffer);
    const width = x!.shape[1]!;
    const rows = Array.from({ length: x!.shape[0]! }, (_, row) => [...values.subarray(row * width, (row + 1) * width)]);
    const answer = await fetch(`${this.#target.address}/${copy.model}`, {
      method: 'POST',
      body: JSON.stringify(rows),
      signal,
    });
    const given: unknown = await answer.json();
    if (!Array.isArray(given)) throw new SkeinError('foreign_invalid', { text: String(Object(given).detail) });
    const bytes = new Uint8Array(new Float32Array(given.flat()).buffer);
    const tensor = { name: 'y', datatype: 'FP32', shape: x!.shape, parts: [bytes], byteLength: bytes.length } as const;
    const outputs = [{ tensor, binary: false, classCount: 0 }];
    return Buffer.concat(encodeInferResponse({ model: copy.model, version: '1', outputs }).parts);
  }

  async #watch(): Promise<void> {
    const stalled = !(await this.#lives());
    if (stalled === this.#isStalled || this.#closed !== undefined) return;
    this.#isStalled = stalled;
    this.#events.onStalled(stalled, stalled ? 'nobody listens' : undefined);
  }

  async #lives(): Promise<boolean> {
    return fetch(this.#target.address).then(
      (answer) => answer.text().then(() => true),
      () => false,
    );
  }

  async #refuse(verb: string): Promise<never> {
    throw new SkeinError('backend_cannot', { backend: this.#target.id, verb, reason: 'it knows rows of numbers only' });
  }

  #broken(reason: string): SkeinError {
    return new SkeinError('link_broken', { backend: this.#target.id, reason });
  }
}

function relay(answer: Buffer, observer: ReplyObserver): void {
  observer.onReply({ headerLength: undefined, bodyBytes: answer.length, inFlight: 0, latencyUs: 0 });
  observer.onPiece(answer);
  observer.onEnd();
}

function copyOf(model: string, index: number): CopyFacts {
  const none = { residentBytes: 0, peakBytes: 0, loadMs: 0, inFlight: 0, latencyUs: 0 };
  return { id: index + 1, model, version: 1, stamp: '', phase: 'ready', slots: 1, ...none };
}
