import type { BackendRecord } from '../adapters/adapter.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import type { Supervisor } from '../backends/host/supervisor.ts';
import type { ProcessKeeper } from '../router/mesh/process-keeper.ts';
import type { ProcessEnd } from '../router/routing/process-end.ts';

/** The end of a process is seen within milliseconds of the loss of its link; a process that lives is waited for in vain. */
const endSeenWithinMs = 400;

/** Hands the mesh's wishes about backend processes of this host to their supervisor. */
export class ProcessDesk implements ProcessKeeper {
  readonly #supervisor: Supervisor;
  readonly #optionsOf: (id: string) => BackendProcessOptions;

  constructor(supervisor: Supervisor, optionsOf: (id: string) => BackendProcessOptions) {
    this.#supervisor = supervisor;
    this.#optionsOf = optionsOf;
  }

  /** Starts a backend among the others. */
  open(id: string): BackendRecord {
    return this.#start(id, false);
  }

  async endOf(backendId: string): Promise<ProcessEnd> {
    return (await this.#supervisor.endOf(backendId, endSeenWithinMs)) ?? { kind: 'unknown' };
  }

  openApart(id: string): Promise<BackendRecord> {
    return Promise.resolve(this.#start(id, true));
  }

  closeApart(id: string): void {
    void this.#supervisor.stop(id);
  }

  #start(id: string, apart: boolean): BackendRecord {
    const options = this.#optionsOf(id);
    this.#supervisor.start(options);
    return { id, kind: 'skein', address: options.address, engines: ['onnx'], apart };
  }
}
