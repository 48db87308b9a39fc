import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blankCode } from './blank-code.ts';
import { functionsOf } from './functions.ts';
import { measure, quantile } from './measures.ts';
import { mirrorFaults } from './mirror.ts';
import { sourceFile } from './source-tree.ts';

describe('blankCode', () => {
  const cases: readonly [title: string, text: string, blanked: string][] = [
    ['comments', 'a; // {\n/* {\n} */ b;', 'a;     \n    \n     b;'],
    ['strings', `f('{\\'', "}");`, 'f(     ,    );'],
    ['templates, but not what they compute', `\`{\${ a + \`}\` }}\``, `  \${ a +     }  `],
    ['regular expressions', 'x = /[/}]\\/{/g.test(y);', 'x =          g.test(y);'],
    ['no division', 'a = b / c / d[1] / (e) / 2;', 'a = b / c / d[1] / (e) / 2;'],
    ['a regular expression behind a word', 'return /{/;', 'return    ;'],
  ];
  for (const [title, text, blanked] of cases) {
    test(`blanks ${title}`, () => assert.equal(blankCode(text), blanked));
  }
});

describe('functionsOf', () => {
  const names = (code: string) => functionsOf(blankCode(code)).map(({ name, lines }) => `${name} ${lines}`);
  test('finds declarations, methods, accessors and arrows', () => {
    const code = `function a() {\n}
class B {
  #c(d: D): e is E {\n\n  }
  get f(): { g: G } | undefined {\n  }
  static async h<T>(i: (j: J) => K): Promise<T> {\n  }
}
const l = (m) => {};
const n = (): ((o: O) => P) => {\n};`;
    assert.deepEqual(names(code), ['a 2', '#c 3', 'f 2', 'h 2', '=> 1', '=> 2']);
  });
  test('takes no statement, object or call for one', () => {
    const code = `if (a) {\n} else if (b) {\n}\nfor (const c of d) {\n}\nfor await (const c of d) {\n}
while (e) {\n}\nswitch (f) {\n  case g(h): {\n  }\n}\ntry {\n} catch (i) {\n}
const j = k ? l(m) : { n };\nconst o = (p) => q;\nclass R extends S(T) {\n}`;
    assert.deepEqual(names(code), []);
  });
});

describe('measure', () => {
  test('takes the quantile that so many do not pass', () => {
    assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), 9);
    assert.equal(quantile([3, 1, 2], 0.5), 2);
  });
  test('grows with a long file and a long function', () => {
    const long = `function a() {\n${'  b();\n'.repeat(120)}}\n`;
    const { fileMedian, functionP90 } = measure([sourceFile('src/a.ts', long)]);
    assert.equal(fileMedian, 122);
    assert.equal(functionP90, 122);
  });
});

describe('mirrorFaults', () => {
  const faults = (sample: Record<string, string>) =>
    mirrorFaults(Object.entries(sample).map(([path, text]) => sourceFile(path, text)));
  const source = { 'src/a/b/c.ts': '' };
  test('finds a test that lies elsewhere, and what it leaves without one', () => {
    const moved = { 'test/a/x/c.test.ts': `import { c } from '../../../src/a/b/c.ts';\n` };
    assert.equal(faults({ ...source, ...moved }).length, 1);
    assert.equal(faults(source).length, 1);
  });
  test('follows what a test shares with others', () => {
    const test1 = { 'test/a/b/c.test.ts': `import './c-cases.ts';\n` };
    const cases = { 'test/a/b/c-cases.ts': `import { c } from '../../../src/a/b/c.ts';\n` };
    assert.deepEqual(faults({ ...source, ...test1, ...cases }), []);
  });
});
