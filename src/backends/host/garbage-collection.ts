import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Has V8 collect its whole heap now. A process that rests is not collected, and freed bodies stay: 133 MB of buffers
 * after 16 bodies of 8 MB. Blocks the event loop, about 10 ms with a heap of 20 MB: for quiet times only.
 */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? () => void collect() : () => undefined;
}
