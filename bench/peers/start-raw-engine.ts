import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RawSetting, RawTurn } from './raw-engine.ts';

export interface RawEngine {
  turn(setting: RawSetting): Promise<RawTurn>;
  stop(): void;
}

/** The engine's loop in a process of its own, over the model of a file. */
export async function startRawEngine(path: string, ...args: readonly string[]): Promise<RawEngine> {
  const child = fork(fileURLToPath(new URL('raw-engine.ts', import.meta.url)), [path, ...args]);
  await once(child, 'message');
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the raw engine ended')));
  ended.catch(() => {}); // at its stop nobody waits
  return {
    async turn(setting) {
      child.send(setting);
      const [turn] = (await Promise.race([once(child, 'message'), ended])) as [RawTurn];
      return turn;
    },
    stop: () => child.disconnect(),
  };
}

export function settingText({ threads, batch, callers }: Omit<RawSetting, 'seconds' | 'restMs'>): string {
  return `batch ${batch}, ${callers} x ${threads} thread${threads === 1 ? '' : 's'}`;
}
