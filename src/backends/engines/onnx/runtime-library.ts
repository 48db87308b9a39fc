import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SkeinError } from '../../../protocol/errors.ts';

/** Where ONNX Runtime's shared library is: the configured path, else the one that npm's onnxruntime-node carries. */
export function findRuntimeLibrary(configured: string | undefined): string {
  if (configured !== undefined && configured !== '') {
    if (existsSync(configured)) return configured;
    throw new SkeinError('engine_missing', {
      engine: 'ONNX Runtime',
      detail: `SKEIN_ONNXRUNTIME_LIB names '${configured}', which is not there`,
    });
  }
  const directory = packagedDirectory();
  const file = directory === undefined ? undefined : readdirSync(directory).find((name) => libraryName.test(name));
  if (file === undefined) {
    throw new SkeinError('engine_missing', {
      engine: 'ONNX Runtime',
      detail: `onnxruntime-node carries none for ${process.platform}-${process.arch}; set SKEIN_ONNXRUNTIME_LIB to a libonnxruntime of 1.20 or newer`,
    });
  }
  return join(directory!, file);
}

const libraryName = /^libonnxruntime(\.so|\..*dylib)|^onnxruntime\.dll$/;

function packagedDirectory(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
    const directory = join(dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
    return existsSync(directory) ? directory : undefined;
  } catch {
    return undefined; // not installed
  }
}
