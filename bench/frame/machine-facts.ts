import { cpus, release, totalmem } from 'node:os';
import { openRuntime } from '../../src/backends/engines/onnx/environment.ts';
import { softwareVersion } from '../../src/cli/software-version.ts';

/** Where and of what a figure was measured. */
export interface MachineFacts {
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
}

export function machineFacts(): MachineFacts {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${model}), ${memory}, ${process.platform} ${release().split('-', 1)[0]}`,
    versions: `Skein ${softwareVersion}, Node ${process.versions.node}, ONNX Runtime ${openRuntime(undefined).api.version}`,
  };
}
