import type { RuleName } from './rules.ts';

/** A small repository: texts by path. */
export type Sample = Readonly<Record<string, string>>;

const lines = (count: number) => '// a line\n'.repeat(count);
const body = (count: number) => '  work();\n'.repeat(count);

/** For every law, repositories that break it once each and one that comes close and does not. */
export const samples: Record<RuleName, { readonly bad: Readonly<Record<string, Sample>>; readonly good: Sample }> = {
  floors: {
    bad: {
      upward: { 'src/protocol/a.ts': `import { b } from '../config/b.ts';\n` },
      'upward, for a type': { 'src/fleet/a.ts': `import type { B } from '../adapters/b.ts';\n` },
      'upward, in the midst of a file': { 'src/adapters/a.ts': `const b = () => import('../cli/b.ts');\n` },
      'over several lines': { 'src/config/a.ts': `import {\n  b,\n  c,\n} from '../fleet/x/b.ts';\n` },
      'from router to backends': { 'src/router/mesh/a.ts': `import { b } from '../../backends/b.ts';\n` },
      'from backends to router': { 'src/backends/host/a.ts': `import { b } from '../../router/b.ts';\n` },
      'of a folder without a floor': { 'src/ui/a.ts': `import { b } from '../protocol/b.ts';\n` },
    },
    good: {
      'src/cli/a.ts': `import { b } from '../router/b.ts';\nimport { c } from '../protocol/c.ts';\n`,
      'src/protocol/v2/a.ts': `// import { b } from '../../cli/b.ts'\nimport { b } from '../tensors/b.ts';\n`,
      'src/protocol/b.ts': 'const text = `\nimport { b } from "../cli/b.ts";\n`;\n',
    },
  },
  kinds: {
    bad: { 'one kind to another': { 'src/adapters/v2/a.ts': `import { b } from '../skein/b.ts';\n` } },
    good: { 'src/adapters/v2/a.ts': `import { b } from './b.ts';\nimport { c } from '../adapter.ts';\n` },
  },
  cycles: {
    bad: {
      'of two': {
        'src/fleet/a.ts': `import { b } from './b.ts';\n`,
        'src/fleet/b.ts': `import { type A } from './a.ts';\n`,
      },
      'of three': {
        'src/fleet/a.ts': `import { b } from './b.ts';\n`,
        'src/fleet/b.ts': `import './c.ts';\n`,
        'src/fleet/c.ts': `export { a } from './a.ts';\n`,
      },
    },
    good: {
      'src/fleet/a.ts': `import { b } from './b.ts';\nimport { c } from './c.ts';\n`,
      'src/fleet/b.ts': `import type { A } from './a.ts';\nimport { c } from './c.ts';\n`,
      'src/fleet/c.ts': `const a = () => import('./a.ts');\n`,
    },
  },
  barrels: {
    bad: {
      'all of a file': { 'src/fleet/all.ts': `export * from './b.ts';\n` },
      'one name': { 'src/fleet/a.ts': `export { b } from './b.ts';\n` },
      'by its name': { 'src/fleet/index.ts': 'export const a = 1;\n' },
    },
    good: { 'src/fleet/a.ts': `import { b } from './b.ts';\nexport const from = b;\n` },
  },
  importNames: {
    bad: {
      'no ending': { 'src/fleet/a.ts': `import { b } from './b';\n`, 'src/fleet/b.ts': '' },
      'no file': { 'src/fleet/a.ts': `import { b } from './b.ts';\n` },
    },
    good: { 'src/fleet/a.ts': `import { b } from '../b.ts';\n`, 'src/b.ts': '' },
  },
  drawers: {
    bad: {
      'a file': { 'src/fleet/utils.ts': '' },
      'a folder': { 'test/helpers/a.ts': '' },
      'a file of a kind': { 'src/fleet/common.test.ts': '' },
    },
    good: { 'src/fleet/helper-process.ts': '', 'src/fleet/value-types.ts': '' },
  },
  environment: {
    bad: {
      read: { 'src/cli/a.ts': 'const home = process.env.HOME;\n' },
      'by another name': { 'src/cli/a.ts': `import { env } from 'node:process';\n` },
      'taken apart': { 'src/cli/a.ts': 'const { env } = process;\n' },
      'by index': { 'src/cli/a.ts': `const e = process['env'];\n` },
    },
    good: { 'src/config/a.ts': 'const e = process.env;\n', 'src/cli/b.ts': '// process.env is read elsewhere\n' },
  },
  doors: {
    bad: {
      elsewhere: { 'src/router/mesh/a.ts': `import koffi from 'koffi';\n` },
      'without a place': { 'src/router/mesh/a.ts': `import x from '@scope/left-pad/part';\n` },
    },
    good: { 'src/cli/log.ts': `import pino from 'pino';\n`, 'src/cli/a.ts': `import type { Logger } from 'pino';\n` },
  },
  pureDecisions: {
    bad: {
      'a clock': { 'src/router/placement/a.ts': 'const now = Date.now();\n' },
      'a timer': { 'src/backends/batching/a.ts': 'setTimeout(run, 1);\n' },
      chance: { 'src/router/routing/a.ts': 'const x = Math.random();\n' },
      'chance, handed on': { 'src/router/routing/a.ts': 'choose(Math.random);\n' },
      'the system': { 'src/backends/memory/a.ts': `import { totalmem } from 'node:os';\n` },
    },
    good: {
      'src/router/placement/a.ts': '/** Not Math.random(): an argument. */\nconst x = random() + nowMs;\n',
      'src/router/mesh/b.ts': 'const now = performance.now();\n',
    },
  },
  fileSize: {
    bad: { 'one line more': { 'src/cli/a.ts': lines(401) } },
    good: { 'src/cli/a.ts': lines(400), 'test/cli/a.test.ts': lines(401) },
  },
  functionSize: {
    bad: {
      'a function': { 'src/cli/a.ts': `function f(\n  a: A,\n): Map<A, { b: B }> {\n${body(67)}}\n` },
      'a method': {
        'src/cli/a.ts': `class A {\n  async #f<T extends B>(a: { b: C }): Promise<T[]> {\n${body(69)}  }\n}\n`,
      },
      'an arrow': { 'src/cli/a.ts': `const f = async (a: A): Promise<void> => {\n${body(69)}};\n` },
      'an arrow without parentheses': { 'src/cli/a.ts': `all.map(a => {\n${body(69)}});\n` },
      'a constructor': { 'src/cli/a.ts': `class A {\n  constructor() {\n${body(69)}  }\n}\n` },
    },
    good: {
      'src/cli/a.ts': `function f(): { a: A } {\n${body(68)}}\n`,
      'src/cli/b.ts': `class A {\n${`  f(): void {\n${body(30)}  }\n`.repeat(4)}}\n`,
      'src/cli/c.ts': `const table = {\n${"  a: '{',\n".repeat(80)}};\n`,
    },
  },
  anything: {
    bad: {
      'of a value': { 'src/cli/a.ts': 'let a: any;\n' },
      'of a cast': { 'src/cli/a.ts': 'const a = b as any;\n' },
      'within a type': { 'src/cli/a.ts': 'const a: Record<string, any> = {};\n' },
    },
    good: {
      'src/cli/a.ts': `/** any number */\nconst any = AbortSignal.any(['any']);\n`.replace('const any', 'const one'),
    },
  },
  promises: {
    bad: {
      'in code': { 'src/cli/a.ts': `// ${'TO'}${'DO'}: later\n` },
      'in a page': { 'docs/a.md': `${'FIX'}${'ME'}\n` },
    },
    good: { 'src/cli/a.ts': 'const todo = [];\n' },
  },
  hosts: {
    bad: {
      'in the lock': { 'package-lock.json': '{ "resolved": "https://registry.example.org/a.tgz" }' },
      'in npm settings': { '.npmrc': 'registry=https://registry.example.org/\n' },
    },
    good: { 'package-lock.json': '{ "funding": { "url": "https://example.org" } }', '.npmrc': 'fund=false\n' },
  },
};
