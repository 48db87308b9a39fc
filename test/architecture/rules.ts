import { findCycles } from './cycles.ts';
import { floorFault } from './floors.ts';
import { functionsOf } from './functions.ts';
import { importsOf, packageOf } from './imports.ts';
import { below, type SourceFile } from './source-tree.ts';

export interface Fault {
  readonly path: string;
  readonly what: string;
}

interface Rule {
  /** The law, as a sentence. */
  readonly law: string;
  /** What breaks it in a repository. Empty where nothing does. */
  readonly faults: (files: readonly SourceFile[]) => Fault[];
}

/** Laws that name the file which breaks them. Those of the whole are in measures.ts. */
export const rules = {
  floors: {
    law: 'a file imports from its own folder of src/ and from the floors below it',
    faults: (files) =>
      eachImport(files, (from, { target, isLocal }) => (isLocal ? floorFault(from, target) : undefined)),
  },
  kinds: {
    law: 'the adapters of two kinds of servers do not know each other',
    faults: (files) =>
      eachImport(files, (from, { target }) => {
        const [own, other] = [from, target].map((path) => /^src\/adapters\/([^/]+)\//.exec(path)?.[1]);
        return own !== undefined && other !== undefined && own !== other ? `it imports ${target}` : undefined;
      }),
  },
  cycles: {
    law: 'no file is loaded by a file that it loads',
    faults: (files) => findCycles(below(files, 'src/')).map((cycle) => ({ path: cycle[0]!, what: cycle.join(' -> ') })),
  },
  barrels: {
    law: 'nothing is passed on: whoever needs a thing imports the file that has it',
    faults: (files) => [
      ...eachImport(files, (_, { target, kind }) => (kind === 'passed on' ? `it passes on ${target}` : undefined)),
      ...named(below(files, 'src/'), /(?:^|\/)index\.ts$/, 'it is called index.ts'),
    ],
  },
  importNames: {
    law: 'an import names a file that is there, with its ending',
    faults: (files) => {
      const paths = new Set(files.map(({ path }) => path));
      return eachImport(files, (_, { target, isLocal }) =>
        isLocal && !paths.has(target) ? `there is no ${target}` : undefined,
      );
    },
  },
  drawers: {
    law: 'a file is named for its one concept',
    faults: (files) =>
      named(
        files.filter(({ path }) => /\.m?[jt]s$/.test(path)),
        /(?:^|\/)(?:utils?|helpers?|common|misc|shared|stuff|lib|tools|constants|types)(?:\.[^/]*|\/)/,
        'its name is that of a drawer',
      ),
  },
  environment: {
    law: 'the environment is read in src/config/ alone',
    faults: (files) =>
      below(files, 'src/')
        .filter(({ path, text, code }) => !path.startsWith('src/config/') && readsEnvironment(text, code))
        .map(({ path }) => ({ path, what: 'it reads process.env' })),
  },
  doors: {
    law: 'a package is used in one place, behind which it can be changed for another',
    faults: (files) =>
      eachImport(files, (from, { target, isLocal, kind }) => {
        if (isLocal || kind === 'type' || target.startsWith('node:')) return undefined;
        const places = doors[packageOf(target)];
        if (places === undefined) return `it imports ${target}, which has no place (architecture/rules.ts)`;
        const isThere = places.some((place) => from.startsWith(place));
        return isThere ? undefined : `it imports ${target}, whose place is ${places.join(' and ')}`;
      }),
  },
  pureDecisions: {
    law: 'a decision has no clock, timer, randomness or IO of its own',
    faults: (files) =>
      pureFolders
        .flatMap((folder) => below(files, folder))
        .flatMap(({ path, code }) =>
          Array.from(code.matchAll(impure), ([what]) => ({ path, what: `it uses ${what.replace(/\W+$/, '')}` })),
        )
        .concat(
          eachImport(files, (from, { target }) =>
            isPure(from) && target.startsWith('node:') ? `it imports ${target}` : undefined,
          ),
        ),
  },
  fileSize: {
    law: `a file has at most ${400} lines`,
    faults: (files) =>
      below(files, 'src/').flatMap(({ path, text }) => {
        const lines = lineCount(text);
        return lines > 400 ? [{ path, what: `it has ${lines} lines` }] : [];
      }),
  },
  functionSize: {
    law: `a function has at most ${70} lines`,
    faults: (files) =>
      below(files, 'src/').flatMap(({ path, code }) =>
        functionsOf(code)
          .filter(({ lines }) => lines > 70)
          .map(({ name, line, lines }) => ({ path, what: `${name} at line ${line} has ${lines} lines` })),
      ),
  },
  anything: {
    law: 'nothing is of type any',
    faults: (files) =>
      below(files, 'src/').flatMap(({ path, code }) =>
        Array.from(code.matchAll(/(?<![.\w$'])any(?![\w$(:'])/g), ({ index }) => ({
          path,
          what: `any at line ${lineCount(code.slice(0, index))}`,
        })),
      ),
  },
  promises: {
    law: 'what is left to do is an issue, not a comment',
    faults: (files) =>
      files.flatMap(({ path, text }) =>
        Array.from(text.matchAll(/\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/g), ([word]) => ({
          path,
          what: `it has a ${word}`,
        })),
      ),
  },
  hosts: {
    law: 'a lock file names packages and digests, not where they came from',
    faults: (files) =>
      files
        .filter(({ path, text }) => /(?:^|\/)(?:package-lock\.json|\.npmrc)$/.test(path) && namesHost.test(text))
        .map(({ path }) => ({ path, what: 'it names the host of a registry' })),
  },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

/** Where the packages that src/ runs on are used. */
const doors: Readonly<Record<string, readonly string[]>> = {
  fastify: ['src/router/servers/api-router.ts'],
  // Runtimes, and what both ends of a link need of the C library.
  koffi: ['src/backends/engines/', 'src/protocol/native/'],
  pino: ['src/cli/log.ts'],
  'prom-client': ['src/router/metrics/'],
  undici: ['src/adapters/v2/'],
};

/** Folders that decide and do nothing. */
const pureFolders = [
  'src/router/placement/',
  'src/router/routing/',
  'src/router/scaling/',
  'src/backends/batching/',
  'src/backends/memory/',
  'src/simulation/',
];
const impure =
  /\b(?:Date\.now|new Date|performance\.now|Math\.random|set(?:Timeout|Interval|Immediate)|fetch|console)\b/g;

const namesHost = /"resolved"\s*:\s*"[a-z+]+:\/\/|^\s*(?:@[\w-]+:)?registry\s*=/m;

function isPure(path: string): boolean {
  return pureFolders.some((folder) => path.startsWith(folder));
}

function readsEnvironment(text: string, code: string): boolean {
  return (
    /\bprocess\s*\.\s*env\b|\bprocess\s*\[/.test(code) ||
    /\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from 'node:process'/.test(text)
  );
}

export function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Asks about every import of src/; what it answers is a fault. */
function eachImport(
  files: readonly SourceFile[],
  ask: (from: string, imported: ReturnType<typeof importsOf>[number]) => string | undefined,
): Fault[] {
  return below(files, 'src/').flatMap((file) =>
    importsOf(file).flatMap((imported) => {
      const what = ask(file.path, imported);
      return what === undefined ? [] : [{ path: file.path, what }];
    }),
  );
}

function named(files: readonly SourceFile[], pattern: RegExp, what: string): Fault[] {
  return files.filter(({ path }) => pattern.test(path)).map(({ path }) => ({ path, what }));
}
