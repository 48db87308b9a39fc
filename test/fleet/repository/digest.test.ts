import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ModelDigests } from '../../../src/fleet/repository/digest.ts';
import { ExternalDataFinder } from '../../../src/fleet/repository/external-data.ts';
import { scratch, touch, writeTree } from './repository-tree.ts';

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

/** StringStringEntryProto { key: "location", value: path } as protobuf writes it. */
function entry(path: string): Buffer {
  const value = Buffer.from(path);
  const length = value.length < 128 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7];
  return Buffer.concat([Buffer.from('\n\u0008location\u0012'), Buffer.from(length), value]);
}

describe('ExternalDataFinder', () => {
  test('finds every path, however the bytes are cut into chunks', () => {
    const path = fc.string({ unit: fc.constantFrom(...'ab/._é'), minLength: 1, maxLength: 200 });
    const noise = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(noise, path), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (pieces, cuts) => {
          const bytes = Buffer.concat(pieces.flatMap(([before, name]) => [before, entry(name)]));
          const finder = new ExternalDataFinder();
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const end = at + cuts[i % cuts.length]!;
            finder.push(bytes.subarray(at, end));
            at = end;
          }
          const found = new Set(finder.paths);
          for (const [, name] of pieces) assert.ok(found.has(name), name);
        },
      ),
    );
  });

  test('finds paths far into large chunks and across the border of two', () => {
    const [first, second, long] = ['first.bin', 'second.bin', 'l'.repeat(3_000)];
    const bytes = Buffer.concat([
      Buffer.alloc(20_000),
      entry(long),
      Buffer.alloc(20_000),
      entry(first),
      Buffer.alloc(9_000),
      entry(second),
    ]);
    for (const cut of [20_001, 20_010, 20_011, 21_000, 30_000, bytes.indexOf(first) + 2]) {
      const finder = new ExternalDataFinder();
      finder.push(bytes.subarray(0, cut));
      finder.push(bytes.subarray(cut));
      assert.deepEqual(finder.paths, [first, long, second], `cut at ${cut}`);
    }
  });

  test('finds none where nothing names a location', () => {
    const finder = new ExternalDataFinder();
    finder.push(Buffer.from('\n\u0008location\n\u0003abc location \u0012\u0001a'));
    assert.deepEqual(finder.paths, []);
  });
});

describe('ModelDigests', () => {
  test('gives the SHA-256 of a file that stands alone', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'model.onnx': 'graph', 'other.onnx': 'x' });
    assert.equal(await new ModelDigests().digest(join(root, 'model.onnx')), sha256('graph'));
  });

  test('takes in external data that lie beside the model, and nothing from elsewhere', async (t) => {
    const root = scratch(t);
    const model = Buffer.concat([
      entry('weights.bin'),
      entry('sub/more.bin'),
      entry('../secret'),
      entry('/etc/hostname'),
      entry('gone.bin'),
    ]);
    writeTree(root, { secret: 's', '1/weights.bin': 'w', '1/sub/more.bin': 'm', '1/README': 'r' });
    writeFileSync(join(root, '1/model.onnx'), model);
    const digests = new ModelDigests();
    const listing = `${sha256(model)}  model.onnx\n${sha256('m')}  sub/more.bin\n${sha256('w')}  weights.bin\n`;
    assert.equal(await digests.digest(join(root, '1/model.onnx')), sha256(listing));
    writeFileSync(join(root, '1/weights.bin'), 'W');
    touch(join(root, '1/weights.bin'), 1_000);
    assert.equal(await digests.digest(join(root, '1/model.onnx')), sha256(listing.replace(sha256('w'), sha256('W'))));
    writeFileSync(join(root, '1/gone.bin'), 'g');
    assert.notEqual(
      await digests.digest(join(root, '1/model.onnx')),
      sha256(listing.replace(sha256('w'), sha256('W'))),
    );
  });

  test('takes in every file of a model that is a directory', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'model.savedmodel/saved_model.pb': 'g', 'model.savedmodel/variables/v.data': 'v' });
    const digest = await new ModelDigests().digest(join(root, 'model.savedmodel'));
    assert.equal(digest, sha256(`${sha256('g')}  saved_model.pb\n${sha256('v')}  variables/v.data\n`));
  });

  test('reads a file again only when its size or time has changed', async (t) => {
    const root = scratch(t);
    const path = join(root, 'model.onnx');
    const digests = new ModelDigests();
    writeFileSync(path, 'one');
    touch(path, 1_000);
    assert.equal(await digests.digest(path), sha256('one'));
    writeFileSync(path, 'two');
    touch(path, 1_000);
    assert.equal(await digests.digest(path), sha256('one'), 'same size, time and inode');
    touch(path, 2_000);
    assert.equal(await digests.digest(path), sha256('two'));
  });

  test('ends early when it is cancelled, and says what cannot be read', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'model.onnx': 'x' });
    await assert.rejects(new ModelDigests().digest(join(root, 'model.onnx'), AbortSignal.abort()), {
      code: 'cancelled',
    });
    await assert.rejects(new ModelDigests().digest(join(root, 'none.onnx')), {
      code: 'repository_unreadable',
      message: /ENOENT/,
    });
  });
});
