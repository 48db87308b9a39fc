/** Disks that are full, and files that are not what they were. */
import { readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, modelsOf } from '../../fixtures/fleet-client.ts';
import { backendIds } from '../chaos-fleet.ts';
import type { Fault, World } from '../fault.ts';

/** Until the files were looked at again, and a load that just failed may be tried once more. */
const repairedMs = 12_000;

/** The state directory of one backend, while it has to load what another one held. */
export const fullDisk: Fault = {
  kind: 'full-disk',
  targets: backendIds,
  variants: ['tmpfs'],
  holdMs: [3_000, 10_000],
  async begin({ fleet }, target) {
    const disk = fleet.disk(target);
    if (disk === undefined) return undefined;
    disk.fill();
    const other = backendIds[(backendIds.indexOf(target) + 1) % backendIds.length]!;
    process.kill(await fleet.enginePid(other), 'SIGKILL');
    return async () => disk.free();
  },
};

/** Three models, and the engine that holds the first of them ends: what cannot be loaded is refused by name. */
export const corruptModels: Fault = {
  kind: 'corrupt-models',
  targets: Array.from({ length: 20 }, (_, i) => [i, i + 100, i + 200].map(modelName).join(' ')),
  variants: ['cut in half', 'empty', 'noise'],
  holdMs: [4_000, 10_000],
  async begin(world, target, variant) {
    const { fleet, ledger, repository, say } = world;
    const models = target.split(' ');
    const files = models.map((model) => join(repository, model, '1', 'model.onnx'));
    const contents = files.map((file) => readFileSync(file));
    const refused = models.map((model) => ledger.allow('refused', model, performance.now()));
    for (const file of files) damage(file, variant);
    const holder = await holderOf(models[0]!, world);
    if (holder !== undefined) process.kill(await fleet.enginePid(holder), 'SIGKILL');
    const [http] = fleet.routers.values();
    await load(http!, models[0]!).then(
      () => say(`${models[0]} has another copy, which still serves`),
      (refusal: Error) => say(refusal.message),
    );
    return async () => {
      for (const [i, file] of files.entries()) {
        writeFileSync(`${file}.new`, contents[i]!);
        renameSync(`${file}.new`, file);
      }
      for (const one of refused) one.untilMs = performance.now() + repairedMs;
    };
  },
};

/** Optimised graphs in the state directory of a backend, whose engine then ends and finds them. */
export const corruptCache: Fault = {
  kind: 'corrupt-cache',
  targets: backendIds,
  variants: ['cut in half', 'empty', 'noise'],
  holdMs: [3_000, 6_000],
  async begin({ fleet, say }, target, variant) {
    const graphs = readdirSync(fleet.stateOf(target), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?:graph\.onnx|weights\.bin)$/.test(name))
      .map((name) => join(fleet.stateOf(target), name));
    // Other files under the same names: those that are mapped now stay as they are.
    for (const file of graphs) {
      writeFileSync(`${file}.damaged`, readFileSync(file));
      damage(`${file}.damaged`, variant);
      renameSync(`${file}.damaged`, file);
    }
    say(`${graphs.length} files of graphs damaged`);
    process.kill(await fleet.enginePid(target), 'SIGKILL');
    return async () => {};
  },
};

function damage(file: string, variant: string): void {
  const length = statSync(file).size;
  if (variant === 'noise') writeFileSync(file, Buffer.alloc(length, 'noise'));
  else truncateSync(file, variant === 'empty' ? 0 : Math.floor(length / 2));
}

async function holderOf(model: string, { fleet }: World): Promise<string | undefined> {
  const [http] = fleet.routers.values();
  const found = (await modelsOf(http!)).find(({ name }) => name === model);
  return found?.copies[0]?.backend;
}

function modelName(i: number): string {
  return `model_${String(i).padStart(3, '0')}`;
}
