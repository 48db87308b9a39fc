import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { LoadedModel } from '../../../../src/backends/engines/engine.ts';
import { GraphCache, graphName, weightsName } from '../../../../src/backends/engines/onnx/graph-cache.ts';
import { defaultSignatureName } from '../../../../src/protocol/tensors/named-signature.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { floatsOf, floatsTensor } from '../test-tensors.ts';
import { loadModel, type TestEngine, testEngine, writeModel } from './opened-engine.ts';
import { weightyModel } from './weighty-model.ts';

const roomy = 2 ** 30;
const entryBytes = 4 * 2 ** 20;

async function answerOf(model: LoadedModel): Promise<number[]> {
  const [y] = await model.run(defaultSignatureName, [floatsTensor('x', [1, 1_024], Array(1_024).fill(1))], ['y']);
  return floatsOf(y);
}

async function loadAndRun(engine: TestEngine, path: string): Promise<number[]> {
  const model = await loadModel(engine, path);
  const answer = await answerOf(model);
  await model.unload();
  return answer;
}

function entriesOf(root: string): string[] {
  return readdirSync(root).filter((name) => !name.includes('-'));
}

function leftOvers(root: string): string[] {
  return readdirSync(root).filter((name) => name.includes('-'));
}

/** A model, the answer that it gives, and a cache with its entry. */
async function cachedModel(t: { after(hook: () => void): void }) {
  const directory = temporaryDirectory(t);
  const root = join(directory, 'cache');
  const path = writeModel(directory, weightyModel());
  const answer = await loadAndRun(testEngine(new GraphCache(root, roomy)), path);
  const [key] = entriesOf(root);
  return { directory, root, path, answer, entry: join(root, key!) };
}

function identityOf(path: string): string {
  const { ino, mtimeMs } = statSync(path);
  return `${ino} ${mtimeMs}`;
}

describe('GraphCache', () => {
  test('is written by the first load and used by the second, of another process, too', async (t) => {
    const { root, path, answer, entry } = await cachedModel(t);
    assert.deepEqual(readdirSync(entry).sort(), ['facts.json', graphName, weightsName]);
    const before = identityOf(join(entry, graphName));
    const engine = testEngine(new GraphCache(root, roomy));
    assert.deepEqual(await loadAndRun(engine, path), answer);
    assert.equal(identityOf(join(entry, graphName)), before);
    assert.deepEqual([engine.warnings, leftOvers(root)], [[], []]);
    const used = JSON.parse(execFileSync(process.execPath, [cacheUser, root, path], { encoding: 'utf8' })) as {
      y: number[];
    };
    assert.deepEqual(used.y, answer.slice(0, 4));
    assert.equal(identityOf(join(entry, graphName)), before);
  });

  test('gives a model of other content an entry of its own', async (t) => {
    const { root, path, answer } = await cachedModel(t);
    writeFileSync(path, weightyModel(2));
    const other = await loadAndRun(testEngine(new GraphCache(root, roomy)), path);
    assert.notDeepEqual(other, answer);
    assert.equal(entriesOf(root).length, 2);
  });

  test('holds one whole entry when several processes make it at once', async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'cache');
    const path = writeModel(directory, weightyModel());
    const run = promisify(execFile);
    const outcomes = await Promise.all([1, 2, 3].map(() => run(process.execPath, [cacheUser, root, path])));
    const told = outcomes.map(({ stdout }) => JSON.parse(stdout) as { y: number[]; warnings: unknown[] });
    for (const { y, warnings } of told) assert.deepEqual([y, warnings], [told[0]!.y, []]);
    assert.deepEqual([entriesOf(root).length, leftOvers(root)], [1, []]);
    assert.deepEqual((await loadAndRun(testEngine(new GraphCache(root, roomy)), path)).slice(0, 4), told[0]!.y);
  });

  const damages: Record<string, (entry: string) => void> = {
    'a graph that is cut': (entry) => truncateSync(join(entry, graphName), 10),
    'weights that are cut': (entry) => truncateSync(join(entry, weightsName), 1_000),
    'weights that have grown': (entry) => truncateSync(join(entry, weightsName), entryBytes + 1),
    'weights that were written to': (entry) => utimesSync(join(entry, weightsName), 1, 1),
    'no weights': (entry) => rmSync(join(entry, weightsName)),
    'no graph': (entry) => rmSync(join(entry, graphName)),
    'no facts': (entry) => rmSync(join(entry, 'facts.json')),
    'facts that are cut': (entry) => truncateSync(join(entry, 'facts.json'), 20),
    'facts that are null': (entry) => writeFileSync(join(entry, 'facts.json'), 'null'),
    'facts of no files': (entry) =>
      writeFileSync(join(entry, 'facts.json'), '{"files":{},"allocatedBytes":1,"mappedBytes":1}'),
    'facts without numbers': (entry) => editFacts(entry, (facts) => ({ ...facts, allocatedBytes: 'many' })),
    'facts that are a directory': (entry) => {
      rmSync(join(entry, 'facts.json'));
      mkdirSync(join(entry, 'facts.json'));
    },
    'a graph of other bytes that looks the same from outside': (entry) => {
      const path = join(entry, graphName);
      const { size, atime, mtime } = statSync(path);
      writeFileSync(path, Buffer.alloc(size, 0xff));
      utimesSync(path, atime, mtime);
      editFacts(entry, (facts) => {
        facts.files[graphName]!.mtimeMs = statSync(path).mtimeMs;
        return facts;
      });
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    test(`makes an entry with ${what} again`, async (t) => {
      const { root, path, answer, entry } = await cachedModel(t);
      damage(entry);
      const engine = testEngine(new GraphCache(root, roomy));
      assert.deepEqual(await loadAndRun(engine, path), answer);
      assert.deepEqual([engine.warnings, leftOvers(root), entriesOf(root).length], [[], [], 1]);
      const after = identityOf(join(entry, graphName));
      assert.deepEqual(await loadAndRun(testEngine(new GraphCache(root, roomy)), path), answer);
      assert.equal(identityOf(join(entry, graphName)), after, 'the entry was made once more');
    });
  }

  test('falls back to a plain load with one warning where its place is a file', async (t) => {
    const directory = temporaryDirectory(t);
    const path = writeModel(directory, weightyModel());
    await loadsPlainly(path, path);
  });

  test('falls back to a plain load with one warning where the disk is full', async (t) => {
    const directory = temporaryDirectory(t);
    const path = writeModel(directory, weightyModel());
    const { root, isMounted } = tinyDisk(t);
    await loadsPlainly(root, path, isMounted ? 'no room on disk for optimised graphs' : undefined);
    assert.deepEqual(readdirSync(root), []);
  });

  test('writes nothing while there is no room, says so once, and writes again when there is', async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'cache');
    mkdirSync(root);
    let fakeFreeBytes = entryBytes / 2;
    const engine = testEngine(new GraphCache(root, roomy, async () => fakeFreeBytes));
    const paths = [1, 2].map((seed) => writeModel(directory, weightyModel(seed)));
    const { mtimeMs } = statSync(root);
    const answers = [];
    for (const path of paths) answers.push(await loadAndRun(engine, path));
    assert.equal(statSync(root).mtimeMs, mtimeMs, 'something was written there, if only for a while');
    assert.equal(await engine.engine.loadPeakBytes({ model: 'm', version: 1, path: paths[0]! }), 0);
    assert.deepEqual(
      engine.warnings.map(({ message }) => message),
      ['no room on disk for optimised graphs'],
    );
    fakeFreeBytes = roomy;
    for (const [i, path] of paths.entries()) assert.deepEqual(await loadAndRun(engine, path), answers[i]);
    assert.deepEqual([entriesOf(root).length, engine.warnings.length], [2, 1]);
  });

  test('tries again when an entry was not written because others filled the disk meanwhile', async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'cache');
    writeFileSync(root, 'no directory: nothing is written below it');
    const fakeFreeBytes = [roomy, 0, roomy];
    const engine = testEngine(new GraphCache(root, roomy, async () => fakeFreeBytes.shift()!));
    const path = writeModel(directory, weightyModel());
    await loadAndRun(engine, path);
    rmSync(root);
    await loadAndRun(engine, path);
    assert.deepEqual([entriesOf(root).length, engine.warnings.length, fakeFreeBytes], [1, 1, []]);
  });

  async function loadsPlainly(root: string, path: string, warning = 'optimised graph not cached'): Promise<void> {
    const engine = testEngine(new GraphCache(root, roomy));
    const answer = await loadAndRun(engine, path);
    assert.deepEqual(await loadAndRun(engine, path), answer);
    assert.deepEqual(await loadAndRun(testEngine(), path), answer);
    assert.deepEqual(
      engine.warnings.map(({ message }) => message),
      [warning],
    );
    assert.notEqual(engine.warnings[0]!.facts['reason'], '');
  }

  test('keeps within its bound, and gives up what was used longest ago', async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'cache');
    const engine = testEngine(new GraphCache(root, 2.5 * entryBytes));
    const paths = [1, 2, 3].map((seed) => writeModel(directory, weightyModel(seed)));
    await loadAndRun(engine, paths[0]!);
    const [first] = entriesOf(root);
    await loadAndRun(engine, paths[1]!);
    const second = entriesOf(root).find((name) => name !== first)!;
    // As if both were used long ago, the first one less long.
    utimesSync(join(root, first!), 2_000, 2_000);
    utimesSync(join(root, second), 1_000, 1_000);
    await loadAndRun(engine, paths[2]!);
    const left = entriesOf(root);
    assert.ok(left.includes(first!) && !left.includes(second));
    assert.deepEqual([left.length, leftOvers(root), engine.warnings], [2, [], []]);
  });

  test('looks through its entries again once it has written a part of what was free', async (t) => {
    const root = temporaryDirectory(t);
    const cache = new GraphCache(root, 17_000);
    const put = async (key: string, bytes: number) => {
      const directory = await cache.begin();
      writeFileSync(join(directory, graphName), Buffer.alloc(bytes));
      await cache.commit(directory, key, { allocatedBytes: 0, mappedBytes: 0, run: undefined });
    };
    await put('first', 1_000);
    // Another process has written more than fits.
    mkdirSync(join(root, 'other'));
    writeFileSync(join(root, 'other', graphName), Buffer.alloc(20_000));
    utimesSync(join(root, 'other'), 1_000, 1_000);
    await put('second', 500);
    assert.deepEqual(entriesOf(root).sort(), ['first', 'other', 'second']);
    await put('third', 600);
    assert.deepEqual(entriesOf(root).sort(), ['first', 'second', 'third']);
  });

  test('keeps an entry that a process cannot open for want of file descriptors', async (t) => {
    const { root, entry } = await cachedModel(t);
    const limited = ['-c', 'ulimit -n 80 && exec "$0" "$@"', process.execPath, '--input-type=module', '-e', crowded];
    const found = execFileSync('/bin/sh', [...limited, cacheModule, root, basename(entry)], { encoding: 'utf8' });
    assert.equal(found, 'none EMFILE, then the entry');
  });

  test('counts a load as a use', async (t) => {
    const { root, path, entry } = await cachedModel(t);
    utimesSync(entry, 1_000, 1_000);
    await loadAndRun(testEngine(new GraphCache(root, roomy)), path);
    assert.ok(statSync(entry).mtimeMs > 1_000_000_000);
  });

  test('keeps an entry that is larger than its bound for as long as it is the newest', async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'cache');
    const engine = testEngine(new GraphCache(root, 1_000));
    for (const seed of [1, 2]) await loadAndRun(engine, writeModel(directory, weightyModel(seed)));
    assert.deepEqual([entriesOf(root).length, engine.warnings], [1, []]);
  });

  test('may lose an entry while its model is loaded: the model goes on', async (t) => {
    const { root, path, answer, entry } = await cachedModel(t);
    const model = await loadModel(testEngine(new GraphCache(root, roomy)), path);
    rmSync(entry, { recursive: true });
    assert.deepEqual(await answerOf(model), answer);
    await model.unload();
  });

  test('sweeps what writers left that are no more, and nothing else', async (t) => {
    const { root, entry } = await cachedModel(t);
    const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    for (const name of [`writing-${dead}-a1`, `removing-${dead}-b2`, `writing-${process.pid}-c3`])
      mkdirSync(join(root, name));
    writeFileSync(join(root, `writing-${dead}-a1`, weightsName), 'half');
    await new GraphCache(root, roomy).sweep();
    assert.deepEqual(leftOvers(root), [`writing-${process.pid}-c3`]);
    assert.ok(statSync(entry).isDirectory());
    await new GraphCache(join(root, 'not', 'there'), roomy).sweep();
  });

  test('has the same key for the same content and runtime, and another for others', () => {
    const key = GraphCache.key('digest', '1.30.0');
    assert.match(key, /^[0-9a-f]{40}$/);
    assert.equal(GraphCache.key('digest', '1.30.0'), key);
    assert.notEqual(GraphCache.key('digest', '1.31.0'), key);
    assert.notEqual(GraphCache.key('other', '1.30.0'), key);
  });
});

const cacheModule = new URL('../../../../src/backends/engines/onnx/graph-cache.ts', import.meta.url).href;

/** A program: opens an entry while it can open no file, and once it can. Arguments: module, cache directory, key. */
const crowded = `
  import { closeSync, openSync } from 'node:fs';
  const [module, root, key] = process.argv.slice(1);
  const { GraphCache } = await import(module);
  const cache = new GraphCache(root, 2 ** 30);
  const open = [];
  let why;
  while (why === undefined) {
    try {
      open.push(openSync('/dev/null', 'r'));
    } catch ({ code }) {
      why = code;
    }
  }
  const first = await cache.open(key);
  for (const file of open) closeSync(file);
  const second = await cache.open(key);
  process.stdout.write((first === undefined ? 'none ' : 'found ') + why + (second === undefined ? '' : ', then the entry'));
`;

const cacheUser = join(import.meta.dirname, 'cache-user.ts');

interface Facts {
  files: Record<string, { bytes: number; mtimeMs: number }>;
  [name: string]: unknown;
}

function editFacts(entry: string, edit: (facts: Facts) => Facts): void {
  const path = join(entry, 'facts.json');
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')) as Facts)));
}

/** A file system too small for an entry; where this user may not mount one, a directory that cannot be written to. */
function tinyDisk(t: { after(hook: () => void): void }): { readonly root: string; readonly isMounted: boolean } {
  const root = mkdtempSync(join(tmpdir(), 'skein-tiny-disk-'));
  let undo = () => chmodSync(root, 0o700);
  let isMounted = true;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root], { stdio: 'ignore' });
    undo = () => execFileSync('umount', ['--lazy', root]);
  } catch {
    isMounted = false;
    chmodSync(root, 0o500);
  }
  t.after(() => {
    undo();
    rmdirSync(root);
  });
  return { root, isMounted };
}
