import { SkeinError } from '../../protocol/errors.ts';
import { onlySignature } from '../../protocol/tensors/named-signature.ts';
import { modelMetadataBody } from '../../protocol/v1/model-metadata.ts';
import { modelStatusBody } from '../../protocol/v1/model-status.ts';
import { errorBody, httpStatus } from '../../protocol/v1/status.ts';
import type { Mesh } from '../mesh/mesh-port.ts';
import type { ApiAnswer, ApiCall, ApiRoute } from './api.ts';
import { readVersion } from './model-version.ts';
import { readV1Question, type V1Question } from './v1-path.ts';

/** TensorFlow Serving's REST API but for inference: the status and the metadata of models. */
export function v1Routes(mesh: Mesh): ApiRoute[] {
  const answer = (method: 'GET' | 'POST'): ApiRoute => ({
    method,
    path: '/v1/*',
    handle: (call) => inItsOwnWords(() => (method === 'GET' ? answerQuestion(mesh, call) : refusePath(call))),
  });
  return [answer('GET'), answer('POST')];
}

async function inItsOwnWords(answer: () => string | Promise<string>): Promise<ApiAnswer> {
  try {
    return { status: 200, body: await answer() };
  } catch (fault) {
    const error = SkeinError.from(fault);
    if (error.kind === 'internal') throw error;
    return { status: httpStatus(error.kind), body: errorBody(error) };
  }
}

function pathOf({ path }: ApiCall): string {
  return `/v1/${path['*']}`;
}

function refusePath(call: ApiCall): never {
  const method = call.request.method ?? '';
  throw new SkeinError('v1_path_malformed', { method, path: pathOf(call).slice(0, 256) });
}

function answerQuestion(mesh: Mesh, call: ApiCall): string | Promise<string> {
  const question = readV1Question(pathOf(call));
  if (question === undefined) refusePath(call);
  const { model } = question;
  if (model === '') throw new SkeinError('v1_model_missing');
  const version = versionOf(mesh, question);
  if (!question.isMetadata) return modelStatusBody(mesh.versionStates(model, version));
  return mesh.describe(model, version).then((described) => {
    const signatures = described.signatures ?? [...onlySignature(described.signature).values()];
    return modelMetadataBody({ name: model, version: described.version, signatures });
  });
}

function versionOf(mesh: Mesh, { model, version, label }: V1Question): number | undefined {
  if (label !== undefined) return mesh.versionOfLabel(model, label);
  return version === undefined ? undefined : readVersion(version, model);
}
