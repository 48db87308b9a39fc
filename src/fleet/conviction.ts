import { createHash } from 'node:crypto';

/** What ended two processes and is not tried again for a while: the body of a request, or the files of a model. */
export interface Conviction {
  readonly model: string;
  readonly what: 'body' | 'load';
  /** Of a body its SHA-256 in base64; of a load the version and the stamp of its files. */
  readonly mark: string;
  /** The router that found it out. */
  readonly by: string;
  /** How long it holds from when it was made known. */
  readonly forMs: number;
}

/** What it is kept under: a model's name may hold what a key may not. */
export function convictionName({ model, what, mark }: Pick<Conviction, 'model' | 'what' | 'mark'>): string {
  return createHash('sha256').update(`${model}\n${what}\n${mark}`).digest('hex');
}

/** Undefined where it cannot be used: a later version may convict of more. */
export function readConviction(value: unknown): Conviction | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { model, what, mark, by = '', forMs } = value as Partial<Conviction>;
  if (typeof model !== 'string' || typeof mark !== 'string' || (what !== 'body' && what !== 'load')) return undefined;
  if (typeof forMs !== 'number' || !(forMs > 0)) return undefined;
  return { model, what, mark, by: String(by), forMs };
}
