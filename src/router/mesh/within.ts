import type { SkeinError } from '../../protocol/errors.ts';

/** The call's outcome, or `late` where it takes longer: a backend that falls silent never answers. */
export async function within<T>(ms: number, call: Promise<T>, late: SkeinError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(reject, ms, late).unref();
  });
  return Promise.race([call, over]).finally(() => clearTimeout(timer));
}
