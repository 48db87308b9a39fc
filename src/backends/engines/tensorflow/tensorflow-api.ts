import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { NativeCalls } from '../../../protocol/native/native-calls.ts';
import {
  checkArchitecture,
  checkVersion,
  howToGetTensorflow,
  missing,
  type TensorflowLibrary,
} from './tensorflow-library.ts';

/**
 * TensorFlow's C API (tensorflow/c/c_api.h), which keeps its functions from release to release: one binding serves 2.9 to
 * 2.21. Functions that can fail write to a TF_Status, their last argument, which this class brings.
 *
 * Pointers are numbers of JavaScript type bigint. Whatever an asynchronous call is handed must be kept referenced by the
 * caller, off the JavaScript heap.
 */

export type Pointer = bigint;

/** Result and C parameters, the status left out. */
const functions = {
  TF_Version: ['const char*', ''],
  TF_NewStatus: ['void*', ''],
  TF_DeleteStatus: ['void', 'void* status'],
  TF_GetCode: ['int', 'void* status'],
  TF_Message: ['const char*', 'void* status'],
  TF_NewGraph: ['void*', ''],
  TF_DeleteGraph: ['void', 'void* graph'],
  TF_NewSessionOptions: ['void*', ''],
  TF_DeleteSessionOptions: ['void', 'void* options'],
  TF_NewBuffer: ['void*', ''],
  TF_NewBufferFromString: ['void*', 'const void* bytes, size_t length'],
  TF_DeleteBuffer: ['void', 'void* buffer'],
  TF_NewImportGraphDefOptions: ['void*', ''],
  TF_DeleteImportGraphDefOptions: ['void', 'void* options'],
  TF_GraphOperationByName: ['void*', 'void* graph, const char* name'],
  TF_OperationNumOutputs: ['int', 'void* operation'],
  TF_OperationOutputType: ['int', 'TF_Output place'],
  TF_AllocateTensor: ['void*', 'int type, const void* dimensions, int rank, size_t bytes'],
  TF_DeleteTensor: ['void', 'void* tensor'],
  TF_TensorData: ['void*', 'void* tensor'],
  TF_TensorType: ['int', 'void* tensor'],
  TF_TensorByteSize: ['size_t', 'void* tensor'],
  TF_NumDims: ['int', 'void* tensor'],
  TF_Dim: ['int64_t', 'void* tensor, int index'],
} as const satisfies Record<string, readonly [result: string, parameters: string]>;

/** These end in a status. */
const fallible = {
  TF_SetConfig: ['void', 'void* options, const void* config, size_t length'],
  TF_LoadSessionFromSavedModel: [
    'void*',
    'void* options, void* runOptions, const char* directory, void* tags, int count, void* graph, void* metaGraph',
  ],
  TF_GraphImportGraphDef: ['void', 'void* graph, void* graphDef, void* options'],
  TF_NewSession: ['void*', 'void* graph, void* options'],
  TF_SessionRun: [
    'void',
    'void* session, void* runOptions, void* inputs, void* inValues, int ins, void* outputs, void* outValues, int outs, void* targets, int count, void* metadata',
  ],
  TF_CloseSession: ['void', 'void* session'],
  TF_DeleteSession: ['void', 'void* session'],
  TF_TensorFromProto: ['void', 'void* proto, void* tensor'],
  TF_GraphGetTensorNumDims: ['int', 'void* graph, TF_Output place'],
  TF_GraphGetTensorShape: ['void', 'void* graph, TF_Output place, void* dimensions, int rank'],
} as const satisfies Record<string, readonly [result: string, parameters: string]>;

type Plain = keyof typeof functions;
type Fallible = keyof typeof fallible;
/** TF_Output: one of the tensors that an operation gives. */
export interface GraphPlace {
  readonly oper: Pointer;
  readonly index: number;
}

type Argument = GraphPlace | Pointer | number | string | null | ArrayBufferView | ArrayBuffer;
type Result = Pointer | number | string | null;
type Bound = KoffiFunc<(...args: Argument[]) => Result>;

/** A failure that TensorFlow reports; `code` is of its table, the same as gRPC's. */
export class TensorflowFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export class TensorflowApi {
  readonly version: string;
  readonly library: TensorflowLibrary;
  readonly #plain: Record<Plain, Bound>;
  readonly #fallible: Record<Fallible, Bound>;
  /** Held for the life of the process: koffi unloads a library whose object is collected, under running calls, too. */
  readonly #handles: LibraryHandle[] = [];
  readonly #spareStatuses: Pointer[] = [];
  readonly #offThread = new NativeCalls();

  /** Opens the library: a second of work for the dynamic linker, on this thread. Call it once in a process. */
  constructor(library: TensorflowLibrary) {
    this.library = library;
    koffi.struct('TF_Output', { oper: 'void*', index: 'int' });
    const { main, framework } = library;
    for (const path of framework === undefined ? [main] : [framework, main]) this.#open(path);
    // What the framework exports stays there; the main library only uses it.
    const bind = (result: string, name: string, parameters: string) => this.#bind(`${result} ${name}(${parameters})`);
    this.version = bind('const char*', 'TF_Version', '')() as string;
    checkVersion(main, this.version);
    this.#plain = mapEntries(functions, (name, [result, parameters]) => bind(result, name, parameters));
    this.#fallible = mapEntries(fallible, (name, [result, parameters]) =>
      bind(result, name, `${parameters}, void* status`),
    );
  }

  /** Calls a function that cannot fail, on this thread. */
  call(name: Plain, ...args: Argument[]): Result {
    return this.#plain[name](...args);
  }

  pointer(name: Plain, ...args: Argument[]): Pointer {
    return this.#plain[name](...args) as Pointer;
  }

  number(name: Plain, ...args: Argument[]): number {
    return Number(this.#plain[name](...args));
  }

  /** Calls on this thread. Throws a TensorflowFault. */
  try(name: Fallible, ...args: Argument[]): Result {
    const status = this.#takeStatus();
    return this.#checked(this.#fallible[name](...args, status), status);
  }

  /** Calls on a thread of koffi's pool; the arguments must stay referenced until the promise settles. */
  async tryAsync(name: Fallible, ...args: Argument[]): Promise<Result> {
    const status = this.#takeStatus();
    return this.#checked(await this.#offThread.call(this.#fallible[name], [...args, status]), status);
  }

  async callAsync(name: Plain, ...args: Argument[]): Promise<Result> {
    return this.#offThread.call(this.#plain[name], args);
  }

  #open(path: string): void {
    checkArchitecture(path);
    try {
      this.#handles.push(koffi.load(path, { global: true }));
      keepLoaded(path);
    } catch (fault) {
      throw missing(`'${path}' cannot be loaded: ${(fault as Error).message}`, fault);
    }
  }

  #bind(prototype: string): Bound {
    for (const handle of this.#handles) {
      try {
        return handle.func(prototype) as Bound;
      } catch {
        // in the other library
      }
    }
    throw missing(`'${this.library.main}' has no ${prototype.match(/TF_\w+/)![0]}; ${howToGetTensorflow}`);
  }

  #takeStatus(): Pointer {
    return this.#spareStatuses.pop() ?? (this.#plain.TF_NewStatus() as Pointer);
  }

  #checked(result: Result, status: Pointer): Result {
    const code = this.number('TF_GetCode', status);
    if (code === 0) {
      this.#spareStatuses.push(status);
      return result;
    }
    const fault = new TensorflowFault(code, this.call('TF_Message', status) as string);
    this.call('TF_DeleteStatus', status);
    throw fault;
  }
}

/** Flags of dlopen: lazy, only what is loaded already, never to be unloaded. */
const pin: Readonly<Partial<Record<NodeJS.Platform, number>>> = {
  linux: 0x1 | 0x4 | 0x1000,
  darwin: 0x1 | 0x10 | 0x80,
};

/**
 * At the end of the process koffi unloads what it has loaded, and TensorFlow's threads, which never end, would find their
 * code gone.
 */
function keepLoaded(path: string): void {
  const flags = pin[process.platform];
  if (flags === undefined) return;
  koffi.load(null).func('void* dlopen(const char* path, int flags)')(path, flags);
}

function mapEntries<K extends string, V, R>(table: Record<K, V>, change: (key: K, value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries<V>(table).map(([key, value]) => [key, change(key as K, value)])) as Record<
    K,
    R
  >;
}
