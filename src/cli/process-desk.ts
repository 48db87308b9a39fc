import type { BackendRecord } from '../adapters/adapter.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import type { Supervisor } from '../backends/host/supervisor.ts';
import type { EngineKind } from '../fleet/repository/model-backend.ts';
import type { ProcessKeeper } from '../router/mesh/process-keeper.ts';
import type { ProcessEnd } from '../router/routing/process-end.ts';

/** The end of a process is seen within milliseconds of the loss of its link; a process that lives is waited for in vain. */
const endSeenWithinMs = 400;

type OptionsOf = (id: string, engine: EngineKind) => BackendProcessOptions;

/** Hands the mesh's wishes about backend processes of this host to their supervisor. */
export class ProcessDesk implements ProcessKeeper {
  readonly #supervisor: Supervisor;
  readonly #optionsOf: OptionsOf;

  constructor(supervisor: Supervisor, optionsOf: OptionsOf) {
    this.#supervisor = supervisor;
    this.#optionsOf = optionsOf;
  }

  /** Starts a backend among the others. */
  open(id: string): BackendRecord {
    const options = this.#optionsOf(id, 'onnx');
    this.#supervisor.start(options);
    return recordOf(options);
  }

  /** Knows a backend that is started when a model of its engine is wanted, and ends by itself. */
  openOnDemand(id: string, engine: EngineKind): BackendRecord {
    const options = this.#optionsOf(id, engine);
    this.#supervisor.add(options);
    return { ...recordOf(options), onDemand: true };
  }

  async endOf(backendId: string): Promise<ProcessEnd> {
    return (await this.#supervisor.endOf(backendId, endSeenWithinMs)) ?? { kind: 'unknown' };
  }

  openApart(id: string, engine: EngineKind): Promise<BackendRecord> {
    const options = this.#optionsOf(id, engine);
    this.#supervisor.start(options);
    return Promise.resolve({ ...recordOf(options), apart: true });
  }

  closeApart(id: string): void {
    void this.#supervisor.stop(id);
  }

  wake(backendId: string): void {
    this.#supervisor.wake(backendId);
  }
}

function recordOf({ id, address, engine }: BackendProcessOptions): BackendRecord {
  return { id, kind: 'skein', address, engines: [engine] };
}
