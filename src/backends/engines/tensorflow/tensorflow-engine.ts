import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import koffi from 'koffi';
import { SkeinError } from '../../../protocol/errors.ts';
import { prepareNativeCalls } from '../../../protocol/native/native-calls.ts';
import { estimateResidentBytes } from '../../memory/size-estimate.ts';
import type { Engine, EngineFacts, EngineOptions, LoadedModel, MemoryFacts, ModelFiles } from '../engine.ts';
import { heapTrimmer } from '../heap-trim.ts';
import { directoryBytes } from './directory-bytes.ts';
import { type FileOperation, fileOperations, fileOperationsIn } from './file-operations.ts';
import { frozenSignature } from './frozen-graph.ts';
import { readGraph } from './graph-nodes.ts';
import { HeapMeter } from './heap-meter.ts';
import { MessageCursor } from './message-cursor.ts';
import { measureTraced } from './run-memory.ts';
import { type GraphSignature, type MetaGraph, metaGraphOf, readSavedModel } from './saved-model.ts';
import { runOptions, sessionConfig, type TensorflowDevices, tracedRunOptions } from './session-config.ts';
import { type Pointer, TensorflowApi, TensorflowFault } from './tensorflow-api.ts';
import { findTensorflow } from './tensorflow-library.ts';
import { closeGraph, type OpenGraph, TensorflowModel } from './tensorflow-model.ts';

interface TensorflowEngineOptions extends TensorflowDevices {
  /** Library, or the folder it lies in; empty: looked for. */
  readonly library: string;
  /** Graphs may open files and connections of this host. */
  readonly allowFiles: boolean;
  /** For a person to read: signatures that cannot be served. */
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** What is made once in a process, with the first model. */
interface Runtime {
  readonly api: TensorflowApi;
  readonly config: Buffer;
  readonly runOptions: Pointer;
  readonly tracedRunOptions: Pointer;
}

const usualTags = ['serve'];

/** TensorFlow through its C API: loads and runs off the event loop, on koffi's threads. */
export class TensorflowEngine implements Engine {
  readonly kind = 'tensorflow';
  readonly #options: TensorflowEngineOptions;
  readonly #meter: HeapMeter;
  readonly #trim: () => Promise<void>;
  #runtime: Runtime | undefined;

  constructor(options: TensorflowEngineOptions) {
    this.#options = options;
    prepareNativeCalls();
    this.#meter = new HeapMeter();
    this.#trim = heapTrimmer();
  }

  probe(): EngineFacts {
    const { api } = this.#open();
    return { kind: this.kind, version: api.version, library: api.library.main, providers: [] };
  }

  async estimateBytes({ path }: ModelFiles): Promise<number> {
    return estimateResidentBytes('savedmodel', await directoryBytes(modelPath(path)));
  }

  loadPeakBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  async load(files: ModelFiles, options: EngineOptions, signal: AbortSignal): Promise<LoadedModel> {
    const { api } = this.#open();
    try {
      const path = modelPath(files.path);
      const isDirectory = (await stat(path)).isDirectory();
      const model = isDirectory
        ? await this.#loadSavedModel(path, files, options)
        : await this.#loadFrozen(path, files, options);
      if (!signal.aborted) return model;
      await model.unload();
      throw new SkeinError('cancelled');
    } catch (fault) {
      await this.#trim();
      throw loadError(fault, files, api.version);
    }
  }

  async #loadSavedModel(path: string, files: ModelFiles, options: EngineOptions): Promise<TensorflowModel> {
    const metaGraph = await this.#readMetaGraph(path, files, options);
    const tags = cStrings(metaGraph.tags);
    return this.#openMeasured(files, metaGraph.signatures, async ({ api }, sessionOptions, graph) => {
      const session = await api.tryAsync(
        'TF_LoadSessionFromSavedModel',
        sessionOptions,
        null,
        path,
        tags.pointers,
        metaGraph.tags.length,
        graph,
        null,
      );
      tags.keep();
      return session as Pointer;
    });
  }

  /** Everything that can be refused before TensorFlow is asked. */
  async #readMetaGraph(path: string, { model }: ModelFiles, { parameters }: EngineOptions): Promise<MetaGraph> {
    const bytes = await readFile(join(path, 'saved_model.pb'));
    const tags = parameters['TF_GRAPH_TAG']?.split(',') ?? usualTags;
    const metaGraph = metaGraphOf(parsed(bytes, readSavedModel), tags, model);
    if (!this.#options.allowFiles) refuseFileOperations(fileOperations(metaGraph), model);
    for (const [signature, reason] of metaGraph.unusable) {
      this.#options.warn('signature cannot be served', { model, signature, reason });
    }
    if (metaGraph.signatures.size > 0) return metaGraph;
    const [[name, reason] = ['', '']] = metaGraph.unusable;
    const why = reason === '' ? 'it has none' : `'${name}': ${reason}`;
    throw new SkeinError('config_mismatch', {
      reason: `the SavedModel of '${model}' has no signature that can be served (${why}); save it with tensors of V2 datatypes as signatures`,
    });
  }

  async #loadFrozen(path: string, files: ModelFiles, options: EngineOptions): Promise<TensorflowModel> {
    const bytes = await readFile(path);
    const nodes = parsed(bytes, (all) => readGraph(new MessageCursor(all)));
    if (!this.#options.allowFiles) refuseFileOperations(fileOperationsIn(nodes), files.model);
    return this.#openMeasured(files, undefined, async ({ api }, sessionOptions, graph) => {
      const proto = api.pointer('TF_NewBufferFromString', bytes, bytes.length);
      const importOptions = api.pointer('TF_NewImportGraphDefOptions');
      try {
        await api.tryAsync('TF_GraphImportGraphDef', graph, proto, importOptions);
      } finally {
        api.call('TF_DeleteImportGraphDefOptions', importOptions);
        api.call('TF_DeleteBuffer', proto);
      }
      const signature = frozenSignature(nodes, options.outputs, api, graph);
      return { session: (await api.tryAsync('TF_NewSession', graph, sessionOptions)) as Pointer, signature };
    });
  }

  /** Opens a session and learns what it holds, as far as nothing else was going on meanwhile. */
  async #openMeasured(
    { path }: ModelFiles,
    known: ReadonlyMap<string, GraphSignature> | undefined,
    create: (
      runtime: Runtime,
      options: Pointer,
      graph: Pointer,
    ) => Promise<Pointer | { readonly session: Pointer; readonly signature: GraphSignature }>,
  ): Promise<TensorflowModel> {
    const runtime = this.#open();
    const { api } = runtime;
    const bytesOnDisk = await directoryBytes(modelPath(path));
    const reading = this.#meter.begin();
    const graph = api.pointer('TF_NewGraph');
    const options = api.pointer('TF_NewSessionOptions');
    let open: OpenGraph | undefined;
    try {
      api.try('TF_SetConfig', options, runtime.config, runtime.config.length);
      const made = await create(runtime, options, graph);
      const session = typeof made === 'bigint' ? made : made.session;
      open = { session, graph };
      const signatures = typeof made === 'bigint' ? known! : new Map([[made.signature.signature.name, made.signature]]);
      const model = this.#wrap(runtime, open, signatures);
      const run = await measureTraced(api, model, runtime.tracedRunOptions);
      model.serve(this.#memoryOf(reading.end(), bytesOnDisk, run), this.#meter);
      return model;
    } catch (fault) {
      reading.end();
      if (open === undefined) await api.callAsync('TF_DeleteGraph', graph);
      else await closeGraph(api, open);
      throw fault;
    } finally {
      api.call('TF_DeleteSessionOptions', options);
    }
  }

  #wrap(runtime: Runtime, open: OpenGraph, signatures: ReadonlyMap<string, GraphSignature>): TensorflowModel {
    return new TensorflowModel(runtime.api, open, {
      signatures,
      runOptions: runtime.runOptions,
      afterUnload: () => this.#trim(),
    });
  }

  /** A measurement counts only where it is possible: no less than the weights, no more than copies of them make. */
  #memoryOf(
    measuredBytes: number | undefined,
    bytesOnDisk: number,
    run: { readonly fixedBytes: number; readonly rowBytes: number } | undefined,
  ): MemoryFacts {
    const estimate = estimateResidentBytes('savedmodel', bytesOnDisk);
    const residentBytes = measuredBytes === undefined ? estimate : Math.max(bytesOnDisk, measuredBytes);
    return { residentBytes, runPeakBytes: (rows) => (run === undefined ? 0 : run.fixedBytes + rows * run.rowBytes) };
  }

  #open(): Runtime {
    this.#runtime ??= openRuntime(this.#options);
    return this.#runtime;
  }
}

function openRuntime(options: TensorflowEngineOptions): Runtime {
  const api = new TensorflowApi(findTensorflow(options.library));
  const buffer = (bytes: Buffer) => api.pointer('TF_NewBufferFromString', bytes, bytes.length);
  return {
    api,
    config: sessionConfig(options),
    runOptions: buffer(runOptions()),
    tracedRunOptions: buffer(tracedRunOptions()),
  };
}

/** TensorFlow Serving's layout has the SavedModel's files in the version's directory itself. */
function modelPath(path: string): string {
  return basename(path) === 'saved_model.pb' ? dirname(path) : path;
}

function parsed<T>(bytes: Buffer, read: (bytes: Buffer) => T): T {
  try {
    return read(bytes);
  } catch (fault) {
    if (fault instanceof RangeError) throw new Error(`the file is damaged, or no model: ${fault.message}`);
    throw fault;
  }
}

const shownOperations = 5;

function refuseFileOperations(found: readonly FileOperation[], model: string): void {
  if (found.length === 0) return;
  const shown = found.slice(0, shownOperations).map(({ op, node, does }) => `${op} (node '${node}') ${does}`);
  const more = found.length > shown.length ? `, and ${found.length - shown.length} more` : '';
  throw new SkeinError('graph_opens_files', { model, operations: shown.join(', ') + more });
}

/** The runtime's own words, without the places of files on this host: of a path only its last name is left. */
function loadError(fault: unknown, { model, version, path }: ModelFiles, runtimeVersion: string): SkeinError {
  if (fault instanceof SkeinError) return fault;
  const message = (fault as Error).message
    .replaceAll(path, 'the model')
    .replaceAll(/(?<![\w.])\/(?:[^\s"':/]+\/)+/g, '');
  const unknownOp = /Op type not registered '([^']+)'/.exec(message)?.[1];
  const isCorrupt = fault instanceof TensorflowFault && fault.code === dataLoss;
  const reason =
    unknownOp !== undefined
      ? `TensorFlow ${runtimeVersion} has no operation '${unknownOp}': it is one of a package of its own, or newer; convert the model without it`
      : `${isCorrupt ? 'the SavedModel is damaged: ' : ''}${message.split('\n', 1)[0]}`;
  return new SkeinError('load_failed', { model, version, reason }, { cause: fault });
}

const dataLoss = 15;

/** An array of C strings, off the JavaScript heap. */
function cStrings(texts: readonly string[]): { pointers: Buffer; keep: () => void } {
  const held = texts.map((text) => Buffer.from(new Uint8Array([...Buffer.from(text), ...new Uint8Array(128)]).buffer));
  const array = Buffer.from(new ArrayBuffer(Math.max(128, texts.length * 8)));
  held.forEach((text, i) => {
    array.writeBigUInt64LE(koffi.address(text), i * 8);
  });
  return { pointers: array, keep: () => void held.length };
}
