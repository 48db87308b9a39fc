/** The laws of the source tree. The checkers themselves are tested beside this file, on samples that break each law. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { settingsTable } from '../src/config/settings-table.ts';
import { errorTable } from '../src/protocol/errors.ts';
import { exceptions } from './architecture/exceptions.ts';
import { importsOf, packageOf } from './architecture/imports.ts';
import { measure } from './architecture/measures.ts';
import { mirrorFaults } from './architecture/mirror.ts';
import { type Fault, type RuleName, rules } from './architecture/rules.ts';
import { below, readRepository } from './architecture/source-tree.ts';

const root = join(import.meta.dirname, '..');
const files = readRepository(root);
const sources = below(files, 'src/');

/** Faults that no exception allows, and exceptions that nothing needs. */
function judged(name: RuleName | 'mirror', faults: readonly Fault[]): string[] {
  const allowed = exceptions[name] ?? {};
  const unneeded = Object.keys(allowed).filter((path) => !faults.some((fault) => fault.path === path));
  return [
    ...faults.filter(({ path }) => !Object.hasOwn(allowed, path)).map(({ path, what }) => `${path}: ${what}`),
    ...unneeded.map((path) => `${path}: the exception is not needed (test/architecture/exceptions.ts)`),
  ];
}

describe('the source tree', () => {
  test('is read whole', () => {
    assert.ok(sources.length > 200, `${sources.length} files in src/`);
    const unbalanced = sources.filter(({ code }) => !isBalanced(code)).map(({ path }) => path);
    assert.deepEqual(unbalanced, [], 'the scanner of test/architecture/blank-code.ts lost its way in these');
  });

  for (const [name, { law, faults }] of Object.entries(rules)) {
    test(`keeps the law that ${law}`, () => assert.deepEqual(judged(name as RuleName, faults(files)), []));
  }

  test('keeps the law that tests lie where what they test lies', () => {
    assert.deepEqual(judged('mirror', mirrorFaults(files)), []);
  });

  test('keeps the law that files and functions are short', () => {
    const { fileMedian, fileP90, functionP90 } = measure(files);
    assert.ok(fileMedian <= 110, `median file ${fileMedian} lines`);
    assert.ok(fileP90 <= 250, `90th percentile of files ${fileP90} lines`);
    assert.ok(functionP90 <= 40, `90th percentile of functions ${functionP90} lines`);
  });

  test('names no path of the machine that it lies on', () => {
    const paths = [root, `${homedir()}/`].filter((path) => path.split('/').length > 2);
    const faults = files.filter(({ text }) => paths.some((path) => text.includes(path)));
    assert.deepEqual(
      faults.map(({ path }) => path),
      [],
    );
  });
});

describe('the tables', () => {
  test('have no error that nothing raises', () => {
    const code = sources.filter(({ path }) => path !== 'src/protocol/errors.ts').map(({ text }) => text);
    const unused = Object.keys(errorTable).filter((name) => !code.some((text) => text.includes(`'${name}'`)));
    assert.deepEqual(unused, []);
  });

  test('have no setting that nothing reads', () => {
    const code = sources.filter(({ path }) => !path.startsWith('src/config/settings')).map((file) => file.code);
    const unused = Object.keys(settingsTable).filter(
      (key) => !code.some((text) => new RegExp(`\\b${key}\\b`).test(text)),
    );
    assert.deepEqual(unused, []);
  });

  test('of packages name what src/ runs on, each with its reason, and nothing else', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const declared = Object.keys(manifest.dependencies);
    const imported = sources
      .flatMap((file) => importsOf(file))
      .filter(({ target, isLocal }) => !isLocal && !target.startsWith('node:'))
      .map(({ target }) => packageOf(target));
    // Its library is found by path and opened through koffi, never imported.
    assert.deepEqual([...new Set([...imported, 'onnxruntime-node'])].sort(), declared.toSorted());
    assert.ok(declared.length <= 8, 'eight packages at most are needed to run');
    const reasons = dependencyTable(readFileSync(join(root, 'docs/adr/0002-dependencies.md'), 'utf8'));
    assert.deepEqual(reasons.toSorted(), [...declared, ...Object.keys(manifest.devDependencies)].sort());
  });
});

/** Packages in the first column of the tables of a page: | `name` | reason |. */
function dependencyTable(text: string): string[] {
  return Array.from(text.matchAll(/^\| `([^`]+)` \| \S.*\|$/gm), ([, name]) => name!);
}

function isBalanced(code: string): boolean {
  const open: string[] = [];
  for (const char of code) {
    if ('([{'.includes(char)) open.push(char);
    else if (')]}'.includes(char) && open.pop() !== '([{'[')]}'.indexOf(char)]) return false;
  }
  return open.length === 0;
}
