import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GraphBuilder } from '../../../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import { isSteadyGraph, isSteadyModel } from '../../../../src/backends/engines/onnx/steady-graph.ts';

function modelOf(...operators: readonly string[]): Uint8Array {
  const graph = new GraphBuilder('g');
  let value = graph.input('x', 'float', ['N', 2]);
  for (const [i, operator] of operators.entries()) {
    value = graph.node(operator, [value], {}, { outputs: [i === operators.length - 1 ? 'y' : `v${i}`] });
  }
  graph.output('y', 'float', ['N', 2]);
  return encodeModel(graph);
}

describe('a steady graph', () => {
  test('is one of operators whose time follows from shapes', () => {
    assert.equal(isSteadyModel(modelOf('Identity', 'Relu')), true);
  });

  test('is none with an operator that goes by what is in the data, or that is not known', () => {
    assert.equal(isSteadyModel(modelOf('Identity', 'NonZero', 'Relu')), false);
    assert.equal(isSteadyModel(modelOf('Loop')), false);
    assert.equal(isSteadyModel(modelOf('Mine')), false);
  });

  test('is none whose operators may be functions of its own', () => {
    const withFunction = Buffer.concat([modelOf('Relu'), Buffer.from([0xca, 0x01, 0x00])]);
    assert.equal(isSteadyModel(withFunction), false);
  });

  test('is none that cannot be read', async () => {
    assert.equal(await isSteadyGraph('/nowhere/model.onnx'), false);
  });
});
