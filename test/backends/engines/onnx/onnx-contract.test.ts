import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElementType } from '../../../../examples/models/onnx-writer/element-type.ts';
import { GraphBuilder } from '../../../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import { floats } from '../../../../examples/models/onnx-writer/tensor.ts';
import type { Datatype } from '../../../../src/protocol/tensors/datatype.ts';
import { identityModel } from '../../../fixtures/identity-models.ts';
import { slowModel } from '../../../fixtures/slow-models.ts';
import { engineContract } from '../engine.contract.ts';
import { testEngine } from './opened-engine.ts';

const elementTypes: Readonly<Record<Datatype, ElementType>> = {
  FP32: 'float',
  UINT8: 'uint8',
  INT8: 'int8',
  UINT16: 'uint16',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  BYTES: 'string',
  BOOL: 'bool',
  FP16: 'float16',
  FP64: 'double',
  UINT32: 'uint32',
  UINT64: 'uint64',
  BF16: 'bfloat16',
};

function write(directory: string, bytes: Uint8Array): string {
  const path = join(directory, 'model.onnx');
  writeFileSync(path, bytes);
  return path;
}

function sums(): Buffer {
  const graph = new GraphBuilder('sums');
  const x = graph.input('x', 'float', ['n']);
  for (let i = 0; i < 3; i++) {
    graph.node('Add', [x, graph.constant(floats([], [i]))], {}, { outputs: [`y${i}`] });
    graph.output(`y${i}`, 'float', ['n']);
  }
  return encodeModel(graph);
}

engineContract('ONNX', () => ({
  engine: testEngine().engine,
  identity: (directory, datatype) => write(directory, identityModel(elementTypes[datatype], ['n'])),
  sums: (directory) => write(directory, sums()),
  slow: (directory) => write(directory, slowModel(300)),
  damaged: (directory) => write(directory, Buffer.from('this is no model')),
}));
