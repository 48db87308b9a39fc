import { readFile } from 'node:fs/promises';
import { basename, join, normalize, sep } from 'node:path';
import type { BatchingParameters } from '../../fleet/repository/batching-parameters.ts';
import { completeConfig } from '../../fleet/repository/complete-config.ts';
import { writtenInstanceCount } from '../../fleet/repository/complete-instances.ts';
import { configToJson } from '../../fleet/repository/config-json.ts';
import { readEngineParameters } from '../../fleet/repository/engine-parameters.ts';
import { loadModelConfig } from '../../fleet/repository/load-config.ts';
import { engineOf } from '../../fleet/repository/model-backend.ts';
import type { ConfigWarning, ModelConfig } from '../../fleet/repository/model-config.ts';
import { locateModelFile } from '../../fleet/repository/model-files.ts';
import type { CompletedModel } from '../../fleet/repository/model-schema.ts';
import { defaultModelConfig } from '../../fleet/repository/parse-model-config.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';
import { defaultSignature, type NamedSignature } from '../../protocol/tensors/named-signature.ts';
import { layoutsOf } from '../batching/run-setting.ts';
import type { Engine, LoadedModel } from '../engines/engine.ts';
import { batchesAreWritten, batchingOptions, parameterBatching } from './batching-of-config.ts';
import { codecModelOf } from './codec-model.ts';
import { warmUpAsRecorded } from './recorded-warm-up.ts';
import { servedSignatures } from './served-signature.ts';
import type { ServingParts } from './serving-parts.ts';
import { warmUp } from './warm-up.ts';

export interface LoaderSettings {
  readonly cores: number;
  /** Threads of one run to begin with, where the configuration does not say. */
  readonly threads: number;
  /** The user said so for all models: other numbers are not tried. */
  readonly threadsAreGiven: boolean;
  readonly defaultMaxBatchSize: number;
  readonly defaultMaxQueueSize: number;
  /** For models whose configuration sets no dynamic_batching. */
  readonly batchingParameters?: BatchingParameters;
  /** For the log: fields that only tune and have no effect here. */
  readonly warn: (model: string, warnings: readonly ConfigWarning[]) => void;
}

/** What is known before the engine is asked: enough to expect a size. */
interface PreparedLoad {
  readonly file: string;
  readonly config: ModelConfig | undefined;
}

/** Reads the configuration and finds the model's file. Cheap; throws for what can never be loaded. */
export async function prepareLoad(spec: CopySpec, engine: string, settings: LoaderSettings): Promise<PreparedLoad> {
  const place = { name: spec.model, path: spec.directory };
  const parsed = await loadModelConfig(place, spec.configOverride);
  if (parsed !== undefined && parsed.warnings.length > 0) settings.warn(spec.model, parsed.warnings);
  const file = await locateModelFile(place, spec.version, parsed?.config);
  engineOf(parsed?.config ?? defaultModelConfig(spec.model), basename(file), [engine]);
  return { file, config: parsed?.config };
}

/** Loads and completes a model, not yet warmed. */
export async function loadParts(
  engine: Engine,
  spec: CopySpec,
  { file, config }: PreparedLoad,
  settings: LoaderSettings,
  signal: AbortSignal,
): Promise<ServingParts & { readonly completed: CompletedModel }> {
  const written = config === undefined ? undefined : writtenInstanceCount(config.instanceGroups);
  const parameters = readEngineParameters(engine.kind, config?.parameters ?? {}, spec.model);
  settings.warn(spec.model, parameters.warnings);
  // So many instances as the user wrote share the cores among them, one thread each at the least.
  const shared = written === undefined ? settings.threads : Math.max(1, Math.floor(settings.cores / written));
  const threads = parameters.threads ?? shared;
  const model = await engine.load(
    { model: spec.model, version: spec.version, path: file },
    {
      threads,
      parameters: parameters.forEngine,
      ...(config !== undefined && { outputs: config.outputs.map(({ name }) => name) }),
    },
    signal,
  );
  const threadsAreGiven = parameters.threads !== undefined || settings.threadsAreGiven || model.siblings === undefined;
  const layouts = layoutsOf({ cores: settings.cores, threads, threadsAreGiven, givenSlots: written });
  try {
    const usual = usualSignature(model, parameters.signature, spec.model);
    return await describeParts(model, usual, spec, { file, config }, settings, {
      layouts,
      slotsAreGiven: written !== undefined,
    });
  } catch (fault) {
    await model.unload();
    throw fault;
  }
}

async function describeParts(
  model: LoadedModel,
  usual: NamedSignature,
  spec: CopySpec,
  { file, config }: PreparedLoad,
  settings: LoaderSettings,
  runs: Pick<ServingParts, 'layouts' | 'slotsAreGiven'>,
): Promise<ServingParts & { readonly completed: CompletedModel }> {
  const completed = completeConfig(
    config,
    spec.model,
    { signature: usual, file: basename(file) },
    {
      defaultMaxBatchSize: settings.batchingParameters?.maxBatchSize ?? settings.defaultMaxBatchSize,
      defaultInstanceCount: runs.layouts[0]!.slots,
      hasGpu: false,
    },
  );
  return {
    model,
    completed,
    ...servedSignatures(model.signatures, completed, usual),
    description: {
      platform: completed.config.platform,
      signature: completed.schema.signature,
      signatures: [usual, ...[...model.signatures.values()].filter((one) => one !== usual)],
      maxBatchSize: completed.schema.maxBatchSize,
      config: configToJson(completed.config),
    },
    ...batchingOf(config, completed, settings),
    ...runs,
    labels: await readLabels(completed.config, spec.directory),
  };
}

function batchingOf(
  written: ModelConfig | undefined,
  { config, schema }: CompletedModel,
  { batchingParameters, defaultMaxQueueSize }: LoaderSettings,
): Pick<ServingParts, 'batching' | 'rowsAreGiven'> {
  if (batchingParameters === undefined || written?.dynamicBatching !== undefined) {
    return { batching: batchingOptions(config, defaultMaxQueueSize), rowsAreGiven: batchesAreWritten(written) };
  }
  return { batching: parameterBatching(batchingParameters, schema.maxBatchSize), rowsAreGiven: true };
}

/** What requests that name no signature get: what the configuration names, or the model's own default. */
function usualSignature({ signatures }: LoadedModel, named: string | undefined, model: string): NamedSignature {
  if (named === undefined) return defaultSignature(signatures);
  const found = signatures.get(named);
  if (found !== undefined) return found;
  const known = [...signatures.keys()].join(', ');
  const reason = `parameter TF_SIGNATURE_DEF of model '${model}' names '${named}'; its signatures are ${known}`;
  throw new SkeinError('config_mismatch', { reason });
}

/** Runs the configured samples: a model that cannot run them is not put into service. */
export async function warmParts(
  parts: ServingParts & { readonly completed: CompletedModel },
  spec: CopySpec,
  file: string,
): Promise<void> {
  await warmUp(parts.model, parts.signature.own, parts.completed, spec);
  await warmUpAsRecorded(parts.model, codecModelOf(spec, parts), file);
}

async function readLabels(config: ModelConfig, directory: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const labels = new Map<string, readonly string[]>();
  for (const { name, labelFilename } of config.outputs) {
    if (labelFilename === '') continue;
    const path = normalize(join(directory, labelFilename));
    if (!path.startsWith(directory + sep)) throw new SkeinError('link_outside', { path: labelFilename, target: path });
    const text = await readFile(path, 'utf8');
    labels.set(name, text.split(/\r?\n/));
  }
  return labels;
}
