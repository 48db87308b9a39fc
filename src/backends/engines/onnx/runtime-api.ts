import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { SkeinError } from '../../../protocol/errors.ts';
import { NativeCalls } from '../../../protocol/native/native-calls.ts';

/**
 * ONNX Runtime's C API through its function table (onnxruntime_c_api.h, struct OrtApi). The table is append-only: an
 * entry's index never changes, so one binding serves every release since the newest entry used here (319: 1.23).
 *
 * Every function returns an OrtStatus, null where all went well, except those whose name begins with Release.
 * Pointers are numbers of JavaScript type bigint. What C may still read after a call returned (names, tensor data) and
 * whatever an asynchronous call is handed must be kept referenced by the caller, off the JavaScript heap.
 */

export type Pointer = bigint;

/** Table index and C parameters. */
const functions = {
  CreateEnv: [3, 'int level, const char* id, void* out'],
  CreateSession: [7, 'void* env, const char* path, void* options, void* out'],
  Run: [
    9,
    'void* session, void* options, void* inNames, void* inValues, size_t ins, void* outNames, size_t outs, void* outValues',
  ],
  CreateSessionOptions: [10, 'void* out'],
  SetOptimizedModelFilePath: [11, 'void* options, const char* path'],
  SetSessionLogSeverityLevel: [22, 'void* options, int level'],
  SetSessionGraphOptimizationLevel: [23, 'void* options, int level'],
  SetIntraOpNumThreads: [24, 'void* options, int threads'],
  SetInterOpNumThreads: [25, 'void* options, int threads'],
  SessionGetInputCount: [30, 'void* session, void* out'],
  SessionGetOutputCount: [31, 'void* session, void* out'],
  SessionGetInputTypeInfo: [33, 'void* session, size_t index, void* out'],
  SessionGetOutputTypeInfo: [34, 'void* session, size_t index, void* out'],
  SessionGetInputName: [36, 'void* session, size_t index, void* allocator, void* out'],
  SessionGetOutputName: [37, 'void* session, size_t index, void* allocator, void* out'],
  CreateRunOptions: [39, 'void* out'],
  RunOptionsSetTerminate: [46, 'void* options'],
  RunOptionsUnsetTerminate: [47, 'void* options'],
  CreateTensorAsOrtValue: [48, 'void* allocator, void* shape, size_t rank, int type, void* out'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void* memory, void* data, size_t bytes, void* shape, size_t rank, int type, void* out',
  ],
  IsTensor: [50, 'void* value, void* out'],
  GetTensorMutableData: [51, 'void* value, void* out'],
  FillStringTensor: [52, 'void* value, void* texts, size_t count'],
  GetStringTensorDataLength: [53, 'void* value, void* out'],
  GetStringTensorContent: [54, 'void* value, void* text, size_t bytes, void* offsets, size_t count'],
  CastTypeInfoToTensorInfo: [55, 'void* info, void* out'],
  GetOnnxTypeFromTypeInfo: [56, 'void* info, void* out'],
  GetTensorElementType: [60, 'void* info, void* out'],
  GetDimensionsCount: [61, 'void* info, void* out'],
  GetDimensions: [62, 'void* info, void* out, size_t rank'],
  GetTensorTypeAndShape: [65, 'void* value, void* out'],
  CreateCpuMemoryInfo: [69, 'int allocator, int type, void* out'],
  AllocatorFree: [76, 'void* allocator, void* pointer'],
  GetAllocatorWithDefaultOptions: [78, 'void* out'],
  GetAvailableProviders: [125, 'void* out, void* count'],
  AddSessionConfigEntry: [130, 'void* options, const char* key, const char* value'],
  CreateAllocator: [131, 'void* session, void* memory, void* out'],
  CreateAndRegisterAllocator: [144, 'void* env, void* memory, void* arena'],
  CreateArenaCfgV2: [164, 'void* keys, void* values, size_t count, void* out'],
  AddRunConfigEntry: [165, 'void* options, const char* key, const char* value'],
  SessionOptionsAppendExecutionProvider_TensorRT_V2: [170, 'void* options, void* provider'],
  CreateTensorRTProviderOptions: [171, 'void* out'],
  UpdateTensorRTProviderOptions: [172, 'void* provider, void* keys, void* values, size_t count'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void* options, void* provider'],
  CreateCUDAProviderOptions: [205, 'void* out'],
  UpdateCUDAProviderOptions: [206, 'void* provider, void* keys, void* values, size_t count'],
  SessionOptionsAppendExecutionProvider: [
    216,
    'void* options, const char* name, void* keys, void* values, size_t count',
  ],
  GetResizedStringTensorElementBuffer: [252, 'void* value, size_t index, size_t bytes, void* out'],
  AllocatorGetStats: [319, 'void* allocator, void* out'],
} as const satisfies Record<string, readonly [index: number, parameters: string]>;

const releases = {
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseTypeInfo: 98,
  ReleaseTensorTypeAndShapeInfo: 99,
  ReleaseSessionOptions: 100,
  ReleaseAllocator: 132,
  ReleaseTensorRTProviderOptions: 174,
  ReleaseCUDAProviderOptions: 208,
  ReleaseKeyValuePairs: 300,
} as const;

const statusFunctions = { GetErrorMessage: 2, ReleaseStatus: 93 } as const;

type Bound = KoffiFunc<(...args: Argument[]) => Pointer | string | null>;
export type FunctionName = keyof typeof functions;
type Argument = Pointer | number | string | null | ArrayBufferView | ArrayBuffer;

/** Newest table version asked for first; an older library answers null and prints a line, so few are tried. */
const apiVersions = [30, 27, 24, 23] as const;

export class RuntimeApi {
  readonly version: string;
  readonly libraryPath: string;
  readonly #table: Pointer;
  readonly #calls: Record<FunctionName, Bound>;
  readonly #releases: Record<keyof typeof releases, Bound>;
  readonly #getErrorMessage: Bound;
  readonly #releaseStatus: Bound;
  readonly #getKeyValues: Bound;
  /** Held for the life of the process: koffi unloads a library whose object is collected, under running calls, too. */
  readonly #library: LibraryHandle;
  readonly #offThread = new NativeCalls();

  constructor(libraryPath: string) {
    this.libraryPath = libraryPath;
    try {
      this.#library = koffi.load(libraryPath);
    } catch (fault) {
      throw new SkeinError(
        'engine_missing',
        { engine: 'ONNX Runtime', detail: `'${libraryPath}' cannot be loaded: ${(fault as Error).message}` },
        { cause: fault },
      );
    }
    const base = this.#library.func('void* OrtGetApiBase()')() as Pointer;
    const getApi = koffi.decode(koffi.decode(base, 0, 'void*'), koffi.proto('void* skein_GetApi(uint32_t version)'));
    this.version = koffi.decode(
      koffi.decode(base, 8, 'void*'),
      koffi.proto('const char* skein_GetVersion()'),
    )() as string;
    const table = apiVersions.map((version) => getApi(version) as Pointer | null).find((found) => found !== null);
    if (table === undefined) {
      throw new SkeinError('engine_missing', {
        engine: 'ONNX Runtime',
        detail: `'${libraryPath}' is version ${this.version}; 1.23 or newer is needed`,
      });
    }
    this.#table = table;
    const bind = (result: string, index: number, parameters: string) =>
      koffi.decode(
        koffi.decode(table, index * 8, 'void*'),
        koffi.proto(`${result} skein_Ort${index}(${parameters})`),
      ) as Bound;
    this.#getErrorMessage = bind('const char*', statusFunctions.GetErrorMessage, 'void* status');
    this.#releaseStatus = bind('void', statusFunctions.ReleaseStatus, 'void* status');
    this.#getKeyValues = bind('void', 298, 'void* pairs, void* keys, void* values, void* count');
    this.#calls = mapValues(functions, ([index, parameters]) => bind('void*', index, parameters));
    this.#releases = mapValues(releases, (index) => bind('void', index, 'void* object'));
  }

  /** For other threads of this process. */
  addressOf(name: FunctionName | keyof typeof statusFunctions): Pointer {
    const index =
      name in statusFunctions
        ? statusFunctions[name as keyof typeof statusFunctions]
        : functions[name as FunctionName][0];
    return koffi.decode(this.#table, index * 8, 'void*') as Pointer;
  }

  /** Calls on this thread. Throws an Error with the runtime's own text. */
  call(name: FunctionName, ...args: Argument[]): void {
    this.#check(this.#calls[name](...args) as Pointer | null);
  }

  /** Calls on a thread of koffi's pool; the arguments must stay referenced until the promise settles. */
  async callAsync(name: FunctionName, ...args: Argument[]): Promise<void> {
    this.#check((await this.#offThread.call(this.#calls[name], args)) as Pointer | null);
  }

  /** Calls a function whose last parameter is where it writes one pointer. */
  create(name: FunctionName, ...args: Argument[]): Pointer {
    this.call(name, ...args, outSlot);
    return outSlot.readBigUInt64LE();
  }

  /** Calls a function whose last parameter is where it writes one size or enum. */
  number(name: FunctionName, ...args: Argument[]): number {
    outSlot.writeBigUInt64LE(0n);
    this.call(name, ...args, outSlot);
    return Number(outSlot.readBigUInt64LE());
  }

  release(name: keyof typeof releases, object: Pointer): void {
    this.#releases[name](object);
  }

  async releaseAsync(name: keyof typeof releases, object: Pointer): Promise<void> {
    await this.#offThread.call(this.#releases[name], [object]);
  }

  /** Names and values of an OrtKeyValuePairs. */
  keyValues(pairs: Pointer): Map<string, string> {
    const keys = Buffer.alloc(8);
    const values = Buffer.alloc(8);
    const count = Buffer.alloc(8);
    this.#getKeyValues(pairs, keys, values, count);
    const n = Number(count.readBigUInt64LE());
    const names = readStrings(keys.readBigUInt64LE(), n);
    const texts = readStrings(values.readBigUInt64LE(), n);
    return new Map(names.map((name, i) => [name, texts[i]!]));
  }

  #check(status: Pointer | null): void {
    if (status === null) return;
    const message = this.#getErrorMessage(status) as string;
    this.#releaseStatus(status);
    throw new Error(message);
  }
}

/** One slot serves every synchronous call: it is read before the next one can begin. */
const outSlot = Buffer.alloc(8);

export function readStrings(array: Pointer, count: number): string[] {
  return Array.from({ length: count }, (_, i) => koffi.decode(array, i * 8, 'const char*') as string);
}

/** An array of C strings that lives until the returned object is collected. */
export function stringArray(texts: readonly string[]): { pointer: Buffer; keep: Buffer[] } {
  const keep = texts.map((text) => Buffer.from(`${text}\0`));
  const pointer = Buffer.from(new ArrayBuffer(Math.max(128, texts.length * 8)));
  keep.forEach((text, i) => {
    pointer.writeBigUInt64LE(koffi.address(text), i * 8);
  });
  return { pointer, keep };
}

function mapValues<K extends string, V, R>(table: Record<K, V>, change: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries<V>(table).map(([key, value]) => [key, change(value)])) as Record<K, R>;
}
