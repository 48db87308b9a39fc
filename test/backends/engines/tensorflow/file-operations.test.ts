import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GraphDefBuilder } from '../../../../examples/models/savedmodel-writer/graph-def.ts';
import { encodeSavedModel } from '../../../../examples/models/savedmodel-writer/saved-model.ts';
import { fileOperations } from '../../../../src/backends/engines/tensorflow/file-operations.ts';
import { readSavedModel } from '../../../../src/backends/engines/tensorflow/saved-model.ts';

function found(build: (graph: GraphDefBuilder) => void, initOperation = ''): string[] {
  const graph = new GraphDefBuilder();
  graph.placeholder('x', 'string', []);
  build(graph);
  const tensor = (name: string) => ({ tensor: `${name}:0`, type: 'string', shape: [] }) as const;
  const init = { inputs: {}, outputs: { __saved_model_init_op: tensor(initOperation) } };
  const bytes = encodeSavedModel(graph, {
    serving_default: { inputs: { x: tensor('x') }, outputs: { y: tensor('y') } },
    ...(initOperation === '' ? {} : { __saved_model_init_op: init }),
  });
  return fileOperations(readSavedModel(bytes)[0]!).map(({ op, node, does }) => `${op} ${node} ${does}`);
}

describe('fileOperations', () => {
  test('finds what a signature runs, through data and through order alone', () => {
    assert.deepEqual(
      found((graph) => {
        graph.node('ReadFile', ['x'], {}, 'read');
        graph.node('WriteFile', ['x', 'read'], {}, 'write');
        graph.node('Identity', ['x', '^write'], {}, 'y');
      }).sort(),
      ['ReadFile read reads files', 'WriteFile write writes files'],
    );
  });

  test('finds what the functions of a signature run, however deep', () => {
    assert.deepEqual(
      found((graph) => {
        graph.addFunction('inner', [['ReadFile', ['a'], 'r']]);
        graph.addFunction('outer', []);
        graph.node('PartitionedCall', ['x'], { f: { function: 'inner' } }, 'y');
      }),
      ['ReadFile r reads files'],
    );
  });

  test('leaves alone what no signature runs: the operations that save and restore variables', () => {
    assert.deepEqual(
      found((graph) => {
        graph.node('Identity', ['x'], {}, 'y');
        graph.node('SaveV2', ['x'], {}, 'save');
        graph.addFunction('traced_restore', [['RestoreV2', ['a'], 'r']]);
        graph.node('StatefulPartitionedCall', ['x'], { f: { function: 'traced_restore' } }, 'restore');
      }),
      [],
    );
  });

  test('finds what the load runs, a text file for a table of a model without assets among it', () => {
    const build = (graph: GraphDefBuilder) => {
      graph.node('Identity', ['x'], {}, 'y');
      graph.node('InitializeTableFromTextFileV2', ['x'], {}, 'init');
    };
    assert.deepEqual(found(build, 'init'), ['InitializeTableFromTextFileV2 init reads files']);
    assert.deepEqual(found(build), []);
  });

  test('tells printing to a file from printing', () => {
    const printing = (to: string) =>
      found((graph) => {
        graph.node('PrintV2', ['x'], { output_stream: { text: to } }, 'print');
        graph.node('Identity', ['x', '^print'], {}, 'y');
      });
    assert.deepEqual(printing('stderr'), []);
    assert.deepEqual(printing('file:///tmp/x'), ['PrintV2 print writes files']);
  });
});
