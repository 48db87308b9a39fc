import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EntryNotes } from '../../../../src/backends/engines/onnx/entry-notes.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';

describe('EntryNotes', () => {
  test('keeps what was written last, and leaves nothing else behind', async (t) => {
    const directory = temporaryDirectory(t);
    const notes = new EntryNotes(directory);
    assert.equal(await notes.read('a.json'), undefined);
    await notes.write('a.json', 'first');
    await notes.write('a.json', 'second');
    assert.equal(await new EntryNotes(directory).read('a.json'), 'second');
    assert.deepEqual(readdirSync(directory), ['a.json']);
  });

  test('says nothing of an entry that was removed meanwhile', async (t) => {
    const directory = temporaryDirectory(t);
    const notes = new EntryNotes(directory);
    rmSync(directory, { recursive: true });
    await notes.write('a.json', 'text');
    assert.equal(await notes.read('a.json'), undefined);
  });

  test('does not take a file of any size for a note', async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'a.json'), Buffer.alloc(300 * 1024));
    assert.equal(await new EntryNotes(directory).read('a.json'), undefined);
  });
});
