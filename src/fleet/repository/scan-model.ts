import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { type LinkRule, lookAt, lookAtModel } from './file-stamp.ts';
import { readConfigText } from './load-config.ts';
import type { ModelConfig, VersionPolicy } from './model-config.ts';
import { heartOf, modelFileNames } from './model-files.ts';
import { defaultModelConfig, parseModelConfig } from './parse-model-config.ts';
import type { RepositoryModel } from './repository-model.ts';
import { servedVersions, versionNumber } from './version-policy.ts';

/** What a scan remembers of a model so that the next one only has to look whether anything moved. */
export interface ModelMemory {
  /** Look of the model's directory; empty: read it again whatever it looks like. */
  readonly directoryStamp: string;
  /** Every version on disk, ascending. */
  readonly onDisk: readonly number[];
  /** Look of config.pbtxt; empty: there is none. */
  readonly configStamp: string;
  readonly policy: VersionPolicy;
  /** What to look for in a version's directory. */
  readonly files: readonly string[];
  readonly configProblem?: string;
}

export interface ScannedModel {
  readonly model: RepositoryModel;
  readonly memory: ModelMemory;
}

export interface ScanContext extends LinkRule {
  readonly nowMs: number;
}

/** A directory that changed this recently may change again without its time stamp telling: file systems round it. */
const unsettledMs = 2_000;

/** One model of a repository; undefined where no directory of that name is there. */
export async function scanModel(
  name: string,
  previous: ScannedModel | undefined,
  context: ScanContext,
): Promise<ScannedModel | undefined> {
  const path = join(context.root, name);
  try {
    const look = await lookAt(path, context);
    if (look?.isDirectory !== true) return undefined;
    const memory = await refreshed(name, path, look.stamp, look.modifiedMs, previous?.memory, context);
    const found = memory.configProblem === undefined ? await lookAtVersions(path, memory, context) : [];
    const model = describe(name, path, memory, found);
    return { model: sameAs(previous?.model, model) ?? model, memory };
  } catch (fault) {
    const problem = problemText(fault);
    const unread = { directoryStamp: '', onDisk: [], configStamp: '', ...defaults(name) };
    return { model: describe(name, path, { ...unread, configProblem: problem }, []), memory: unread };
  }
}
