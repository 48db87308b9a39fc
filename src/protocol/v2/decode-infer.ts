import { SkeinError } from '../errors.ts';
import { missingMember, wrongKind } from '../json/data-faults.ts';
import type { JsonValue } from '../json/json-value.ts';
import { BodyPieces } from './body-pieces.ts';
import { checkInputs, nameList } from './check-inputs.ts';
import { excerpt } from './excerpt.ts';
import { type InferDocument, notAnArray, readInferDocument } from './infer-document.ts';
import type { InferRequest, RequestSchema } from './infer-request.ts';
import { headerOutOfRange } from './inference-header.ts';
import { binarySizeOf, type InputSources, readInput } from './input-tensor.ts';
import { recallRequest, rememberRequest } from './known-requests.ts';
import { decodeRawRequest } from './raw-request.ts';
import type { AheadArray } from './read-ahead.ts';
import { readParameters } from './request-parameters.ts';
import { readWantedOutputs } from './wanted-outputs.ts';

/**
 * The body of POST /v2/models/{model}/infer as a request that the model can run, or the fault of the client.
 *
 * `body` is the pieces as they came; the bytes of binary inputs are views of them. `headerLength` is the value of
 * Inference-Header-Content-Length: undefined = the whole body is JSON, 0 = a raw binary request, and so is an empty body.
 * `ahead`: arrays that were read and cut out of a body that is all JSON.
 */
export function decodeInferRequest(
  body: readonly Uint8Array[],
  headerLength: number | undefined,
  schema: RequestSchema,
  ahead?: readonly AheadArray[],
): InferRequest {
  const pieces = new BodyPieces(body);
  if (headerLength === 0 || pieces.byteLength === 0) return decodeRawRequest(pieces, schema);
  if (headerLength !== undefined && !(headerLength > 0 && headerLength <= pieces.byteLength)) {
    throw headerOutOfRange(String(headerLength), pieces.byteLength);
  }
  const joined = pieces.takeJoined(headerLength ?? pieces.byteLength);
  const text = Buffer.from(joined.buffer, joined.byteOffset, joined.byteLength);
  const recalled = headerLength === undefined ? undefined : recallRequest(text, pieces, schema);
  if (recalled !== undefined) return recalled;
  const document = readInferDocument(text, headerLength === undefined ? refuseUnmarkedBinary : () => {});
  const binary = headerLength === undefined ? undefined : pieces;
  return readRequest(document, { model: schema.model, text, binary, ahead }, schema);
}

function readRequest(document: InferDocument, sources: InputSources, schema: RequestSchema): InferRequest {
  if (document.inputs === undefined) throw missingMember('inputs');
  if (document.inputs === notAnArray) throw wrongKind("'inputs'", 'array');
  const id = readId(document.id);
  const { parameters, binaryOutput, signatureName } = readParameters(document.parameters);
  const chosen = chosenSchema(schema, signatureName);
  const tensors = document.inputs.map((input) => readInput(input, sources));
  if (sources.binary !== undefined && sources.binary.left > 0) {
    throw new SkeinError('binary_too_long', { model: schema.model });
  }
  const outputs = readWantedOutputs(document.outputs, binaryOutput, chosen, id);
  const { inputs, batchSize } = checkInputs(tensors, chosen, id);
  const request: InferRequest = {
    ...(id === undefined ? {} : { id }),
    ...(signatureName === undefined ? {} : { signatureName }),
    inputs,
    outputs,
    batchSize,
    parameters,
  };
  const isBinary = sources.binary !== undefined && document.inputs.every(({ data }) => data === undefined);
  if (isBinary && inputs === tensors) rememberRequest(sources.text, request, schema);
  return request;
}

/** What the request is held against: a model whose signatures have no names takes a name for nothing. */
function chosenSchema(schema: RequestSchema, name: string | undefined): RequestSchema {
  if (name === undefined || schema.signatures === undefined) return schema;
  const named = schema.signatures.get(name);
  if (named !== undefined) return { model: schema.model, ...named };
  throw new SkeinError('signature_unknown', {
    model: schema.model,
    signature: excerpt(name),
    known: nameList([...schema.signatures.keys()]),
  });
}

/** An empty id is none. */
function readId(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw wrongKind("'id'", 'string');
  return value;
}

/** Bytes behind the JSON are most likely tensors whose header the client forgot. */
function refuseUnmarkedBinary({ inputs }: InferDocument): void {
  if (Array.isArray(inputs) && inputs.some((input) => binarySizeOf(input) !== undefined)) {
    throw new SkeinError('binary_without_header');
  }
}
