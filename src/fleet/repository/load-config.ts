import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { configBounds, malformed } from './config-tree.ts';
import { isAbsent } from './file-stamp.ts';
import type { ParsedConfig } from './model-config.ts';
import type { ModelPlace } from './model-files.ts';
import { parseModelConfig, parseModelConfigJson } from './parse-model-config.ts';

/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const mostBytes = configBounds.length * 3;
/** Nearly every configuration is one read. */
const chunkBytes = 16 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The configuration that a load is to use: the override of the request, which replaces the file, or `config.pbtxt`;
 * undefined where there is neither.
 */
export async function loadModelConfig(model: ModelPlace, override?: string): Promise<ParsedConfig | undefined> {
  if (override !== undefined) return parseModelConfigJson(override, model.name);
  const text = await readConfigText(join(model.path, 'config.pbtxt'), model.name);
  return text === undefined ? undefined : parseModelConfig(text, model.name);
}

/** Undefined where there is no such file. */
export async function readConfigText(path: string, model: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const chunks: Uint8Array[] = [];
    for (let length = 0; length <= mostBytes; ) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
      length += bytesRead;
      chunks.push(buffer.subarray(0, bytesRead));
      if (bytesRead === 0) return decode(Buffer.concat(chunks), model);
    }
    throw malformed(model, 'its end', `it is longer than ${mostBytes} bytes, the most that is read`);
  } catch (fault) {
    if (isAbsent(fault)) return undefined;
    if (fault instanceof SkeinError) throw fault;
    throw new SkeinError(
      'repository_unreadable',
      { path: `${model}/config.pbtxt`, reason: (fault as Error).message },
      { cause: fault },
    );
  }
}

function decode(bytes: Uint8Array, model: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw malformed(model, 'an unknown place', `it is not UTF-8 (${String(cause)})`);
  }
}
