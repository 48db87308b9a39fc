import type { CopyDescription } from '../../protocol/link/messages.ts';
import type { BatchingOptions } from '../batching/batching-options.ts';
import type { RunLayout } from '../batching/run-setting.ts';
import type { LoadedModel } from '../engines/engine.ts';
import type { ServedSignatures } from './served-signature.ts';

/** Everything that a loaded copy needs to serve; made by copy-loader.ts. */
export interface ServingParts extends ServedSignatures {
  readonly model: LoadedModel;
  readonly description: CopyDescription;
  readonly batching: BatchingOptions;
  /** The user wrote which batches are worth waiting for: they are not chosen. */
  readonly rowsAreGiven: boolean;
  /** How runs may share the cores, the one to begin with first; one where the user wrote the count of instances. */
  readonly layouts: readonly RunLayout[];
  /** The user wrote the count of instances: it holds whatever the cores say. */
  readonly slotsAreGiven: boolean;
  readonly labels: ReadonlyMap<string, readonly string[]>;
}
