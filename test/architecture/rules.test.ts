import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RuleName, rules } from './rules.ts';
import { type Sample, samples } from './samples.ts';
import { sourceFile } from './source-tree.ts';

const faultsOf = (name: RuleName, sample: Sample) =>
  rules[name].faults(Object.entries(sample).map(([path, text]) => sourceFile(path, text)));

for (const [name, { bad, good }] of Object.entries(samples) as [RuleName, (typeof samples)[RuleName]][]) {
  describe(`the law that ${rules[name].law}`, () => {
    for (const [title, sample] of Object.entries(bad)) {
      test(`is broken by: ${title}`, () => assert.equal(faultsOf(name, sample).length, 1));
    }
    test('is not broken by what only comes close', () => assert.deepEqual(faultsOf(name, good), []));
  });
}
