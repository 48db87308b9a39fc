import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GraphDefBuilder } from '../../../../examples/models/savedmodel-writer/graph-def.ts';
import { encodeSavedModel } from '../../../../examples/models/savedmodel-writer/saved-model.ts';
import { metaGraphOf, readSavedModel } from '../../../../src/backends/engines/tensorflow/saved-model.ts';

function number(tensor: string, shape: readonly number[] | 'unknown' = [-1]) {
  return { tensor, type: 'float', shape } as const;
}

function written(tags: readonly string[] = ['serve']): Buffer {
  const graph = new GraphDefBuilder();
  graph.placeholder('x', 'float', [-1, 3]);
  return encodeSavedModel(
    graph,
    {
      serving_default: {
        inputs: { b: number('x:0', [-1, 3]), a: number('x:0', 'unknown') },
        outputs: { y: number('x:0', []) },
      },
      score: { method: 'regress', inputs: { inputs: number('x:0') }, outputs: { outputs: number('x:0') } },
      __saved_model_init_op: { inputs: {}, outputs: { __saved_model_init_op: number('NoOp') } },
    },
    { tags },
  );
}

describe('readSavedModel', () => {
  test('reads every signature with its tensors in the order of their names', () => {
    const [metaGraph] = readSavedModel(written());
    assert.deepEqual([...metaGraph!.signatures.keys()], ['score', 'serving_default']);
    const { signature, inputs } = metaGraph!.signatures.get('serving_default')!;
    assert.deepEqual(signature, {
      name: 'serving_default',
      method: 'predict',
      shapesAreHints: true,
      inputs: [
        { name: 'a', datatype: 'FP32', graphName: 'x:0', shape: [-1], anyRank: true },
        { name: 'b', datatype: 'FP32', graphName: 'x:0', shape: [-1, 3] },
      ],
      outputs: [{ name: 'y', datatype: 'FP32', graphName: 'x:0', shape: [] }],
    });
    assert.equal(inputs.get('b'), 'x:0');
    assert.equal(metaGraph!.signatures.get('score')!.signature.method, 'regress');
    assert.equal(metaGraph!.writtenBy, '2.9.0');
  });

  test('keeps what TensorFlow runs after a load apart from what clients may run', () => {
    assert.equal(readSavedModel(written())[0]!.initOperation, 'NoOp');
  });

  test('throws RangeError on what is no message, whatever it is cut to or changed in', () => {
    assert.throws(() => readSavedModel(Buffer.alloc(0)), RangeError);
    assert.throws(() => readSavedModel(Buffer.from('this is no model')), RangeError);
    const whole = written();
    for (let length = 1; length < whole.length; length++) {
      try {
        readSavedModel(whole.subarray(0, length));
      } catch (fault) {
        assert.ok(fault instanceof RangeError, String(fault));
      }
      const changed = Buffer.from(whole);
      changed[length] = changed[length]! ^ 0xff;
      try {
        readSavedModel(changed);
      } catch (fault) {
        assert.ok(fault instanceof RangeError, String(fault));
      }
    }
  });
});

describe('metaGraphOf', () => {
  test('takes the tags in any order, and names those that are there where none fits', () => {
    const metaGraphs = readSavedModel(written(['serve', 'gpu']));
    assert.equal(metaGraphOf(metaGraphs, ['gpu', 'serve'], 'm'), metaGraphs[0]);
    assert.throws(() => metaGraphOf(metaGraphs, ['serve'], 'm'), { code: 'config_mismatch', message: /'serve,gpu'/ });
  });
});
