/** A fake of an engine: models of any size, without a runtime. It knows what it holds, from the first moment of a load. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineFacts, LoadedModel, ModelFiles } from '../../../src/backends/engines/engine.ts';
import { estimateResidentBytes } from '../../../src/backends/memory/size-estimate.ts';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';

interface FakeFile {
  readonly bytes: number;
  /** What it holds once it is loaded; as much as its file where it does not say. */
  readonly residentBytes?: number;
  /** Ends the load instead. */
  readonly failure?: SkeinError;
  /** Its load waits for this. */
  readonly gate?: Promise<void>;
  /** Its runs wait for a test to end them. */
  readonly isSlow?: boolean;
  readonly config?: string;
  readonly compute?: typeof echo;
}

export class FakeEngine implements Engine {
  readonly kind = 'onnx';
  readonly #repository: string;
  readonly #files = new Map<string, FakeFile>();
  /** Every model that was ever loaded, by name, in order. */
  readonly loaded: { readonly name: string; readonly model: FakeModel }[] = [];
  readonly begun: string[] = [];
  loading = 0;
  mostLoading = 0;
  /** Of every load, as if it were the model's first. */
  peakBytes = 0;
  heldBytes = 0;
  mostHeldBytes = 0;

  constructor(repository: string) {
    this.#repository = repository;
  }

  /** Puts a model into the repository; returns what to load it by. */
  add(name: string, file: FakeFile): CopySpec {
    this.#files.set(name, file);
    const directory = join(this.#repository, name);
    const path = join(directory, '1', 'model.onnx');
    mkdirSync(join(directory, '1'), { recursive: true });
    writeFileSync(path, '');
    truncateSync(path, file.bytes);
    if (file.config !== undefined) writeFileSync(join(directory, 'config.pbtxt'), `name: "${name}"\n${file.config}`);
    return { model: name, version: 1, directory, stamp: 's1', pinned: false, wanted: true };
  }

  modelOf(name: string): FakeModel {
    return this.loaded.findLast((one) => one.name === name)!.model;
  }

  probe(): EngineFacts {
    return { kind: 'fake', version: '1', library: '', providers: [] };
  }

  async estimateBytes({ path }: ModelFiles): Promise<number> {
    return estimateResidentBytes('onnx', (await stat(path)).size);
  }

  loadPeakBytes(): Promise<number> {
    return Promise.resolve(this.peakBytes);
  }

  async load({ model: name }: ModelFiles): Promise<LoadedModel> {
    const file = this.#files.get(name)!;
    const residentBytes = file.residentBytes ?? file.bytes;
    this.begun.push(name);
    this.loading += 1;
    this.mostLoading = Math.max(this.mostLoading, this.loading);
    this.#hold(residentBytes);
    await (file.gate ?? new Promise((resolve) => setImmediate(resolve)));
    this.loading -= 1;
    if (file.failure !== undefined) {
      this.#hold(-residentBytes);
      throw file.failure;
    }
    const model = new FakeModel({
      signature: echoSignature,
      compute: file.compute ?? echo,
      isQuick: file.isSlow !== true,
      memory: { residentBytes, runPeakBytes: () => 0 },
    });
    const unload = model.unload.bind(model);
    model.unload = async () => {
      await unload();
      this.#hold(-residentBytes);
    };
    this.loaded.push({ name, model });
    return model;
  }

  #hold(bytes: number): void {
    this.heldBytes += bytes;
    this.mostHeldBytes = Math.max(this.mostHeldBytes, this.heldBytes);
  }
}
