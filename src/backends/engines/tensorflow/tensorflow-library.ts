import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SkeinError } from '../../../protocol/errors.ts';

/** The shared libraries of one installation of TensorFlow. */
export interface TensorflowLibrary {
  /** Has the C API. */
  readonly main: string;
  /** What it stands on, to be opened before it; undefined where all is in one file. */
  readonly framework: string | undefined;
  /** Where it was found, for people. */
  readonly origin: string;
}

/** As the package for C and npm's tfjs-node name it, then as Python's wheel does. */
const mainName = /^(lib)?tensorflow(_cc)?(\.so(\.\d+)*|(\.\d+)*\.dylib|\.dll)$/;
const frameworkName = /^libtensorflow_framework(\.so(\.\d+)*|(\.\d+)*\.dylib)$/;

const npmPackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

export const howToGetTensorflow =
  "install TensorFlow (`pip install tensorflow-cpu` or `tensorflow`) where python3 finds it, or npm's @tensorflow/tfjs-node, or name a libtensorflow of 2.9 or newer, or the folder of one, with --tensorflow-lib or SKEIN_TENSORFLOW_LIB";

/** The configured one, else npm's, else that of a Python wheel. Throws `engine_missing`, which says how to get one. */
export function findTensorflow(configured: string): TensorflowLibrary {
  if (configured !== '') return configuredLibrary(configured);
  for (const name of npmPackages) {
    const directory = packageLibraries(name);
    const found = directory === undefined ? undefined : librariesIn(directory, `npm's ${name}`);
    if (found !== undefined) return found;
  }
  const wheel = wheelDirectory();
  const found = wheel === undefined ? undefined : librariesIn(wheel, "Python's tensorflow");
  if (found !== undefined) return found;
  const seen =
    wheel === undefined ? '' : ` (the one of Python in '${wheel}' has no libtensorflow_cc: it is older than 2.12)`;
  throw missing(`no TensorFlow is found here${seen}; ${howToGetTensorflow}`);
}

function configuredLibrary(path: string): TensorflowLibrary {
  const origin = 'SKEIN_TENSORFLOW_LIB';
  if (!existsSync(path)) throw missing(`SKEIN_TENSORFLOW_LIB names '${path}', which is not there`);
  if (!statSync(path).isDirectory()) return { ...besides(path), origin };
  const found = librariesIn(path, origin) ?? librariesIn(join(path, 'lib'), origin);
  if (found !== undefined) return found;
  throw missing(`SKEIN_TENSORFLOW_LIB names the folder '${path}', which holds no libtensorflow or libtensorflow_cc`);
}

function librariesIn(directory: string, origin: string): TensorflowLibrary | undefined {
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  const main = names.find((name) => mainName.test(name));
  return main === undefined ? undefined : { ...besides(join(directory, main)), origin };
}

/** The framework that lies in the same folder. */
function besides(main: string): Pick<TensorflowLibrary, 'main' | 'framework'> {
  const directory = dirname(main);
  const framework = readdirSync(directory)
    .sort()
    .find((name) => frameworkName.test(name));
  return { main, framework: framework === undefined ? undefined : join(directory, framework) };
}

function packageLibraries(name: string): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'deps', 'lib');
  } catch {
    return undefined; // not installed
  }
}

/** Asks Python where it would import it from; nothing of it is run. */
function wheelDirectory(): string | undefined {
  const question =
    "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.submodule_search_locations[0] if s else '')";
  for (const python of ['python3', 'python']) {
    try {
      const answer = execFileSync(python, ['-c', question], {
        encoding: 'utf8',
        timeout: 10_000,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      if (answer !== '') return answer;
    } catch {
      // no such program, or one that cannot say
    }
  }
  return undefined;
}

/** e_machine of ELF headers, by Node's names of architectures. */
const elfMachines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64', 3: 'ia32', 40: 'arm', 243: 'riscv64' };

/** Throws `engine_missing` for a file that is no shared library, or one for another processor: what dlopen says is obscure. */
export function checkArchitecture(path: string): void {
  if (process.platform !== 'linux') return;
  const head = Buffer.alloc(20);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  if (length < head.length || head.readUInt32BE(0) !== 0x7f454c46) throw missing(`'${path}' is no shared library`);
  const machine = head.readUInt16LE(18);
  const architecture = elfMachines[machine] ?? `machine ${machine}`;
  if (architecture === process.arch) return;
  throw missing(`'${path}' is for ${architecture}, and this is ${process.arch}; ${howToGetTensorflow}`);
}

const oldestMinor = 9;

/** Throws `engine_missing` for a version whose C API lacks what is used, or may have it otherwise. */
export function checkVersion(path: string, version: string): void {
  const [major, minor] = version.split('.').map(Number);
  if (major === 2 && minor! >= oldestMinor) return;
  throw missing(`'${path}' is version ${version}; 2.${oldestMinor} or newer of 2 is needed: ${howToGetTensorflow}`);
}

export function missing(detail: string, cause?: unknown): SkeinError {
  return new SkeinError('engine_missing', { engine: 'TensorFlow', detail }, cause === undefined ? {} : { cause });
}
