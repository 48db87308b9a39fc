/** A mesh over a fake fleet, a repository that a test changes, and requests to it. */
import type { Capabilities, Exchange, InferReply, ReplyObserver } from '../../../src/adapters/adapter.ts';
import type { RequestBody } from '../../../src/adapters/request-body.ts';
import type { RepositoryModel } from '../../../src/fleet/repository/repository-model.ts';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import { LocalMesh, type MeshOptions } from '../../../src/router/mesh/local-mesh.ts';
import { OverrideStore } from '../../../src/router/mesh/override-store.ts';
import type { ProcessKeeper } from '../../../src/router/mesh/process-keeper.ts';
import type { ProcessEnd } from '../../../src/router/routing/process-end.ts';
import { wholeBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { FakeAdapter, type FakeBackend } from './fake-fleet.ts';

type Owner = { after(hook: () => void): void };

export interface TestMesh {
  readonly mesh: LocalMesh;
  readonly logs: { readonly message: string; readonly facts: Record<string, unknown> }[];
  readonly processes: FakeProcesses;
  /** A backend of Skein's own. */
  backend(id: string): FakeBackend;
  /** One that the mesh is not told of: a registry does that. */
  unknown(id: string): FakeBackend;
  /** A server of somebody else's, with what it can do and the models it is declared to have. */
  external(id: string, can: Partial<Capabilities>, models?: readonly string[]): FakeBackend;
  /** What the repository has now, in place of what it had of these models. */
  put(...models: RepositoryModel[]): void;
  remove(...names: string[]): void;
  /** A backend of TensorFlow that no process is there for until it is woken. */
  onDemand(id: string): FakeBackend;
  connected(): Promise<void>;
}

/** A fake of whoever starts processes: it knows how they ended, and starts backends apart of the fake fleet. */
class FakeProcesses implements ProcessKeeper {
  /** How the next processes that are asked about ended. */
  end: ProcessEnd = { kind: 'signal', signal: 'SIGKILL' };
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  readonly woken: string[] = [];
  canOpen = true;
  /** Set: processes are elsewhere, and suspects are tried in turn. */
  takeTurn?: () => Promise<(() => Promise<void>) | undefined>;
  onOpen: (backend: FakeBackend) => void = () => {};
  readonly #adapter: FakeAdapter;

  constructor(adapter: FakeAdapter) {
    this.#adapter = adapter;
  }

  async endOf(): Promise<ProcessEnd> {
    const { end } = this;
    await new Promise((resolve) => setTimeout(resolve, 2));
    return end;
  }

  openApart(id: string) {
    if (!this.canOpen) return Promise.reject(new Error('nobody here starts processes'));
    this.opened.push(id);
    this.onOpen(this.#adapter.add(id));
    return Promise.resolve({ id, kind: 'skein', address: `fake:${id}`, engines: ['onnx'], apart: true });
  }

  wake(id: string): void {
    this.woken.push(id);
  }

  closeApart(id: string): void {
    this.closed.push(id);
  }
}

export function model(name: string, stamp = 's1', versions: readonly number[] = [1]): RepositoryModel {
  return {
    name,
    path: `/models/${name}`,
    layout: 'directory',
    versions,
    versionStamps: versions.map((version) => `${stamp}v${version}`),
    stamp,
    hasConfig: false,
  };
}

export function startMesh(t: Owner, options: Partial<MeshOptions> = {}): TestMesh {
  const own = new FakeAdapter('skein');
  const foreign = new FakeAdapter('v2');
  const processes = new FakeProcesses(own);
  const logs: TestMesh['logs'] = [];
  const mesh = new LocalMesh({
    version: 'test',
    adapters: [own, foreign],
    processes,
    overrides: new OverrideStore(temporaryDirectory(t)),
    hold: { maxPerModel: 100, maxTotal: 1_000, maxHoldMs: 20_000 },
    quarantine: {
      convictionMs: 60_000,
      maxConvictions: 100,
      isolateAfterCrashes: 3,
      crashWindowMs: 60_000,
      maxModels: 100,
    },
    requestTimeoutMs: 30_000,
    lookFor: () => Promise.resolve(),
    log: (message, facts) => logs.push({ message, facts }),
    ...options,
  });
  t.after(() => mesh.stop());
  const known = new Map<string, RepositoryModel>();
  return {
    mesh,
    logs,
    processes,
    backend: (id) => {
      const backend = own.add(id);
      mesh.addBackend({ id, kind: 'skein', address: `fake:${id}`, engines: ['onnx'] });
      return backend;
    },
    unknown: (id) => own.add(id),
    onDemand: (id) => {
      const backend = own.add(id);
      backend.isDown = true;
      mesh.addBackend({ id, kind: 'skein', address: `fake:${id}`, engines: ['tensorflow'], onDemand: true });
      return backend;
    },
    external: (id, can, models) => {
      const cannot: Capabilities = { load: false, unload: false, describe: true, statistics: false, bodies: ['v2'] };
      const backend = foreign.add(id, { ...cannot, ...can });
      const declared = models === undefined ? {} : { models };
      mesh.addBackend({ id, kind: 'v2', address: `fake:${id}`, engines: [], ...declared });
      return backend;
    },
    put: (...models) => {
      const isNew = (one: RepositoryModel) => !known.has(one.name);
      const added = models.filter(isNew);
      const changed = models.filter((one) => !isNew(one));
      for (const one of models) known.set(one.name, one);
      mesh.applyRepository({ added, changed, removed: [] });
    },
    remove: (...names) => {
      for (const name of names) known.delete(name);
      mesh.applyRepository({ added: [], changed: [], removed: names });
    },
    connected: () => until('the backends', () => mesh.report().backends.every(({ state }) => state === 'up')),
  };
}

/** One answer of the mesh, which may come once. */
export class Answer implements ReplyObserver {
  reply: InferReply | undefined;
  text = '';
  bytes = 0;
  ended = false;
  error: SkeinError | undefined;
  exchange: Exchange | undefined;
  /** Set once the client went away: nothing may come any more. */
  isCancelled = false;

  onReply(reply: InferReply): void {
    this.#mustBeOpen();
    if (this.reply !== undefined) throw new Error('a second beginning of an answer');
    this.reply = reply;
  }

  onPiece(piece: Uint8Array): void {
    this.#mustBeOpen();
    this.bytes += piece.byteLength;
    if (piece.byteLength < 1_000) this.text += Buffer.from(piece).toString();
  }

  onEnd(): boolean {
    this.#mustBeOpen();
    this.ended = true;
    return true;
  }

  onError(error: SkeinError): void {
    this.#mustBeOpen();
    this.error = error;
  }

  get isOver(): boolean {
    return this.ended || this.error !== undefined;
  }

  /** The answer's text, or its error's code. */
  get outcome(): string | undefined {
    return this.error?.code ?? (this.ended ? this.text : undefined);
  }

  async over(): Promise<string> {
    await until('an answer', () => this.isOver);
    return this.outcome!;
  }

  cancel(): void {
    this.isCancelled = true;
    this.exchange!.cancel();
  }

  #mustBeOpen(): void {
    if (this.isCancelled) throw new Error('told of something after it was cancelled');
    if (this.isOver) throw new Error('told of something after its end');
  }
}

interface AskOptions {
  readonly version?: number;
  readonly timeoutMs?: number;
  readonly body?: RequestBody;
}

let asked = 0;

export function ask(mesh: LocalMesh, name: string, { version, timeoutMs = 0, body }: AskOptions = {}): Answer {
  asked += 1;
  const answer = new Answer();
  answer.exchange = mesh.infer(
    {
      model: name,
      version,
      dialect: 'v2',
      body: body ?? wholeBody(Buffer.from(`request ${asked}`)),
      headerLength: undefined,
      timeoutMs,
      traceparent: '',
    },
    answer,
  );
  return answer;
}
