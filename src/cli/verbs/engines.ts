import { loadSettings } from '../../config/load-settings.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CommandConsole } from '../command-console.ts';
import { type EngineProbe, probeEngines } from '../engines.ts';
import { wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, { out, env, cwd }: CommandConsole): Promise<void> {
  // No setting of this verb depends on the machine.
  const machine = { cores: 1, memoryBytes: 0 };
  const engines = probeEngines(loadSettings('engines', { flags: call.flags, env, cwd, machine }));
  out(wantsJson(call) ? `${JSON.stringify(engines)}\n` : enginesText(engines));
  // TensorFlow is there for those who have models of it; without ONNX Runtime no backend starts.
  if (engines.some(({ kind, found }) => kind === 'onnx' && found === undefined)) {
    throw new SkeinError('engine_missing', { engine: 'ONNX Runtime', detail: 'no backend can be started' });
  }
}

export function enginesText(engines: readonly EngineProbe[]): string {
  return engines.map((engine) => `${engineLines(engine).join('\n')}\n`).join('\n');
}

function engineLines({ kind, name, found, problem }: EngineProbe): string[] {
  if (found === undefined) return [`${kind}: ${problem}`];
  return [
    `${kind}: ${name} ${found.version}`,
    `  library   ${found.library}`,
    ...(found.origin === '' ? [] : [`  from      ${found.origin}`]),
    ...found.providers.map(({ name: provider, isInstalled, note }) => {
      return `  ${provider.padEnd(8)}  ${isInstalled ? 'installed' : 'missing'}${note === '' ? '' : `: ${note}`}`;
    }),
  ];
}
