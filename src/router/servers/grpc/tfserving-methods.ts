import { SkeinError } from '../../../protocol/errors.ts';
import { onlySignature } from '../../../protocol/tensors/named-signature.ts';
import type { ListedModel } from '../../../protocol/tfserving/listed-model.ts';
import { encodeModelMetadata, readMetadataFields } from '../../../protocol/tfserving/metadata-messages.ts';
import type { ModelSpec } from '../../../protocol/tfserving/model-spec.ts';
import { decodeReloadConfig, encodeReloadDone } from '../../../protocol/tfserving/reload-config.ts';
import { decodeSpecRequest, encodeModelStatus } from '../../../protocol/tfserving/status-messages.ts';
import type { Mesh } from '../../mesh/mesh-port.ts';
import { isLoopback } from '../loopback.ts';
import { readVersion } from '../model-version.ts';
import type { GrpcMethods, InferMethod, UnaryMethod } from './grpc-method.ts';

/** Where the models of a model_config_list are kept. */
export interface ModelLists {
  /** These and no others are listed from now on. Rejects, and changes nothing, where something is wrong with them. */
  replace(models: readonly ListedModel[]): Promise<void>;
}

export interface ReloadRule {
  readonly lists: ModelLists;
  readonly allowRemoteLoad: boolean;
}

/** TensorFlow Serving's PredictionService and ModelService. */
export function tfservingMethods(mesh: Mesh, { lists, allowRemoteLoad }: ReloadRule): GrpcMethods {
  const unary = (handle: UnaryMethod['handle']): UnaryMethod => ({ kind: 'unary', handle });
  return {
    '/tensorflow.serving.PredictionService/Predict': infer('tfPredict'),
    '/tensorflow.serving.PredictionService/Classify': infer('tfClassify'),
    '/tensorflow.serving.PredictionService/Regress': infer('tfRegress'),
    '/tensorflow.serving.PredictionService/MultiInference': { ...infer('tfMultiInference'), specPlace: 'first task' },
    '/tensorflow.serving.PredictionService/GetModelMetadata': unary((message) => modelMetadata(mesh, message)),
    '/tensorflow.serving.ModelService/GetModelStatus': unary((message) => modelStatus(mesh, message)),
    '/tensorflow.serving.ModelService/HandleReloadConfigRequest': unary(async (message, { remoteAddress }) => {
      if (!allowRemoteLoad && !isLoopback(remoteAddress)) {
        throw new SkeinError('reload_remote', { address: remoteAddress ?? 'elsewhere' });
      }
      await lists.replace(decodeReloadConfig(message));
      return encodeReloadDone();
    }),
  };
}

function infer(dialect: InferMethod['dialect']): InferMethod {
  return { kind: 'infer', dialect, specPlace: 'request' };
}

function modelStatus(mesh: Mesh, message: Uint8Array): readonly Uint8Array[] {
  const spec = decodeSpecRequest(message);
  if (spec === undefined) throw new SkeinError('model_spec_missing');
  return encodeModelStatus(mesh.versionStates(spec.name, versionOf(mesh, spec))).parts;
}

async function modelMetadata(mesh: Mesh, message: Uint8Array): Promise<readonly Uint8Array[]> {
  const spec = decodeSpecRequest(message);
  if (spec === undefined) throw new SkeinError('model_spec_missing');
  const fields = readMetadataFields(message);
  if (fields.length === 0) throw new SkeinError('metadata_field_missing');
  const unknown = fields.find((field) => field !== 'signature_def');
  if (unknown !== undefined) throw new SkeinError('metadata_field_unknown', { field: unknown.slice(0, 256) });
  const { name, version: asked } = { ...spec, version: namedVersion(mesh, spec) };
  const described = await mesh.describe(name, asked);
  const signatures = described.signatures ?? [...onlySignature(described.signature).values()];
  return encodeModelMetadata({ name, version: described.version, signatures }).parts;
}

/** The version that a request is for; throws where its spec names no model. */
export function namedVersion(mesh: Mesh, spec: ModelSpec): number | undefined {
  if (spec.name === '') throw new SkeinError('model_spec_unnamed');
  return versionOf(mesh, spec);
}

function versionOf(mesh: Mesh, { name, version, versionLabel }: ModelSpec): number | undefined {
  if (versionLabel !== undefined) return mesh.versionOfLabel(name, versionLabel);
  if (version === undefined) return undefined;
  if (version < 0n) throw new SkeinError('version_unknown', { model: name, version: String(version) });
  return readVersion(String(version), name);
}
