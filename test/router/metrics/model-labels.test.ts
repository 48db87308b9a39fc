import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ModelLabels, otherModels } from '../../../src/router/metrics/model-labels.ts';

test('ModelLabels gives the first models labels of their own, and all others one', () => {
  const labels = new ModelLabels(2);
  assert.deepEqual(
    ['a', 'b', 'c', 'a', 'd'].map((model) => labels.labelOf(model)),
    ['a', 'b', otherModels, 'a', otherModels],
  );
});

test('ModelLabels gives the place of a model that is gone to another', () => {
  const labels = new ModelLabels(2);
  for (const model of ['a', 'b', 'c']) labels.labelOf(model);
  assert.deepEqual(labels.retain(new Set(['b', 'c'])), ['a']);
  assert.deepEqual(
    ['c', 'a', 'b'].map((model) => labels.labelOf(model)),
    ['c', otherModels, 'b'],
  );
});

test('ModelLabels never moves the label of a model that stays, whatever comes and goes', () => {
  const name = fc.constantFrom<string>('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(fc.record({ ask: name }), fc.record({ keep: fc.uniqueArray(name) }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (maxModels, steps) => {
      const labels = new ModelLabels(maxModels);
      const own = new Set<string>();
      for (const one of steps) {
        if ('keep' in one) {
          labels.retain(new Set(one.keep));
          for (const model of own) if (!one.keep.includes(model)) own.delete(model);
        } else if (labels.labelOf(one.ask) === one.ask) own.add(one.ask);
        else assert.ok(!own.has(one.ask));
        assert.ok(own.size <= maxModels);
      }
    }),
  );
});
