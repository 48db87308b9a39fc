import { SkeinError } from '../../../protocol/errors.ts';
import type { NamedSignature, SignatureMethod } from '../../../protocol/tensors/named-signature.ts';
import type { TensorSpec } from '../../../protocol/tensors/tensor.ts';
import { datatypeOf } from './data-types.ts';
import { type Graph, readGraph, readShape } from './graph-nodes.ts';
import { eachField, MessageCursor, mapEntry } from './message-cursor.ts';

/** A signature, and where in the graph each of its tensors is: `operation:output`. */
export interface GraphSignature {
  readonly signature: NamedSignature;
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

/** One MetaGraphDef of a saved_model.pb. */
export interface MetaGraph {
  readonly tags: readonly string[];
  /** The version of TensorFlow that wrote it; empty where it does not say. */
  readonly writtenBy: string;
  readonly signatures: ReadonlyMap<string, GraphSignature>;
  /** Signatures that cannot be served, and why. */
  readonly unusable: ReadonlyMap<string, string>;
  readonly graph: Graph;
  /** What is run once after the load; empty: nothing. */
  readonly initOperation: string;
  /** It brings files of its own: vocabularies, for the most part. */
  readonly hasAssets: boolean;
}

/** What `tensorflow/serving/predict` and its like end in. */
const methods: Readonly<Record<string, SignatureMethod>> = { classify: 'classify', regress: 'regress' };

/** Signatures that TensorFlow writes for itself. */
const internalSignature = /^__saved_model_/;
const initSignature = '__saved_model_init_op';

/** Throws RangeError where the bytes are no SavedModel. */
export function readSavedModel(bytes: Buffer): MetaGraph[] {
  const found: MetaGraph[] = [];
  eachField(new MessageCursor(bytes), (field) => {
    if (field.field === 2) found.push(readMetaGraph(field.message()));
  });
  if (found.length === 0) throw new RangeError('no graph is in it');
  return found;
}

/** The one of exactly these tags. */
export function metaGraphOf(metaGraphs: readonly MetaGraph[], tags: readonly string[], model: string): MetaGraph {
  const wanted = [...tags].sort().join();
  const found = metaGraphs.find((one) => [...one.tags].sort().join() === wanted);
  if (found !== undefined) return found;
  const known = metaGraphs.map((one) => `'${one.tags.join(',')}'`).join(', ');
  const reason = `the SavedModel of '${model}' has no graph of the tags '${tags.join(',')}'; it has ${known}`;
  throw new SkeinError('config_mismatch', { reason: `${reason}: name those in parameter TF_GRAPH_TAG` });
}

function readMetaGraph(metaGraph: MessageCursor): MetaGraph {
  const tags: string[] = [];
  let writtenBy = '';
  let graph: Graph = { nodes: [], functions: new Map() };
  let hasAssets = false;
  let initOperation = '';
  const signatures = new Map<string, GraphSignature>();
  const unusable = new Map<string, string>();
  eachField(metaGraph, (field) => {
    if (field.field === 1) {
      eachField(field.message(), (info) => {
        if (info.field === 4) tags.push(info.text());
        else if (info.field === 5) writtenBy = info.text();
      });
    } else if (field.field === 2) graph = readGraph(field.message());
    else if (field.field === 5) {
      const { key, value } = mapEntry(field.message());
      if (value === undefined) return;
      if (internalSignature.test(key)) {
        if (key === initSignature) initOperation = outputOf(value);
        return;
      }
      const read = readSignature(key, value);
      if (typeof read === 'string') unusable.set(key, read);
      else signatures.set(key, read);
    } else if (field.field === 6) hasAssets = true;
  });
  return { tags, writtenBy, signatures: inOrder(signatures), unusable, graph, initOperation, hasAssets };
}

/** Where its only output is. */
function outputOf(signature: MessageCursor): string {
  let operation = '';
  eachField(signature, (field) => {
    if (field.field !== 2) return;
    const { value } = mapEntry(field.message());
    if (value !== undefined) operation = readTensorInfo(value).operation;
  });
  return operation;
}

/** Why it cannot be served, where it cannot. */
function readSignature(name: string, message: MessageCursor): GraphSignature | string {
  const inputs = new Map<string, TensorInfo>();
  const outputs = new Map<string, TensorInfo>();
  let method = '';
  eachField(message, (field) => {
    if (field.field === 3) method = field.text();
    else if (field.field === 1 || field.field === 2) {
      const { key, value } = mapEntry(field.message());
      if (value !== undefined) (field.field === 1 ? inputs : outputs).set(key, readTensorInfo(value));
    }
  });
  const sides = [
    ['input', inputs],
    ['output', outputs],
  ] as const;
  for (const [side, tensors] of sides) {
    for (const [tensor, { dataType, operation }] of tensors) {
      if (operation === '') return `${side} '${tensor}' is no dense tensor`;
      if (datatypeOf(dataType) === undefined) return `${side} '${tensor}' is of TensorFlow's data type ${dataType}`;
    }
  }
  return {
    signature: {
      name,
      method: methods[method.slice(method.lastIndexOf('/') + 1)] ?? 'predict',
      shapesAreHints: true,
      inputs: [...inOrder(inputs)].map(specOf),
      outputs: [...inOrder(outputs)].map(specOf),
    },
    inputs: operationsOf(inputs),
    outputs: operationsOf(outputs),
  };
}

/** Added to the data type of a tensor that is a variable of TensorFlow 1: who asks for it gets its value. */
const variableTypes = 100;

interface TensorInfo {
  /** Empty: the tensor is sparse or composite. */
  readonly operation: string;
  readonly dataType: number;
  readonly shape: readonly number[] | undefined;
}

function readTensorInfo(message: MessageCursor): TensorInfo {
  let operation = '';
  let dataType = 0;
  let shape: readonly number[] | undefined;
  eachField(message, (field) => {
    if (field.field === 1) operation = field.text();
    else if (field.field === 2) dataType = field.value > variableTypes ? field.value - variableTypes : field.value;
    else if (field.field === 3) shape = readShape(field.message());
  });
  return { operation, dataType, shape };
}

function specOf([name, { operation, dataType, shape }]: readonly [string, TensorInfo]): TensorSpec {
  const spec = { name, datatype: datatypeOf(dataType)!, graphName: operation };
  return shape === undefined ? { ...spec, shape: [-1], anyRank: true } : { ...spec, shape };
}

function operationsOf(tensors: ReadonlyMap<string, TensorInfo>): Map<string, string> {
  return new Map([...tensors].map(([name, { operation }]) => [name, operation]));
}

/** Maps lie in their file in any order; that of their names is the same every time. */
function inOrder<T>(entries: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
