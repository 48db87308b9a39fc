import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ModelLocator } from '../../../src/backends/host/model-locator.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';

const spec = (directory: string): CopySpec => ({
  model: 'm',
  version: 1,
  directory,
  stamp: 's',
  pinned: false,
  wanted: true,
});

describe('ModelLocator', () => {
  test('finds a model in the first directory that has it', async (t) => {
    const [one, other] = [temporaryDirectory(t), temporaryDirectory(t)];
    mkdirSync(join(other, 'm'));
    const locator = new ModelLocator('b1', [one, other]);
    assert.equal((await locator.locate(spec('m'))).directory, join(other, 'm'));
  });

  test('says what it looked for and where, so that another backend is tried', async (t) => {
    const root = temporaryDirectory(t);
    await assert.rejects(new ModelLocator('b1', [root]).locate(spec('m')), (fault: Error & { mayRetry: boolean }) => {
      assert.ok(fault.mayRetry);
      assert.ok(fault.message.includes('b1') && fault.message.includes(root));
      return true;
    });
  });

  for (const outside of ['../other', 'm/../../other', '/etc']) {
    test(`leads nobody to ${outside}`, async (t) => {
      const root = temporaryDirectory(t);
      mkdirSync(join(root, 'models'));
      mkdirSync(join(root, 'other'));
      const locator = new ModelLocator('b1', [join(root, 'models')]);
      await assert.rejects(locator.locate(spec(outside)), { code: 'model_not_here' });
    });
  }
});
