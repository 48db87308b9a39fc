/** Sizes as people write them: `512MiB`, `4GiB`, `1.5GB`, or a plain count of bytes. */

const unitBytes = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const satisfies Record<string, number>;

export const byteSizeForm = 'a size such as 512MiB or 4GiB (units B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)';

/** Whole bytes, rounded; undefined where the text is no size. `4G` is none: it does not say of which kind. */
export function parseByteSize(text: string): number | undefined {
  const [, digits, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)?$/.exec(text.trim()) ?? [];
  if (digits === undefined || !Object.hasOwn(unitBytes, unit)) return undefined;
  const bytes = Math.round(Number(digits) * unitBytes[unit as keyof typeof unitBytes]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Short, in powers of two: `14.2 MiB`. What can be said exactly is: `4 GiB`, `1536 MiB` becomes `1.5 GiB`. */
export function formatByteSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trimmed(value)} ${binaryUnits[unit]}`;
}

/** The same without a space, as a setting takes it; only for sizes that it says exactly. */
export function writeByteSize(bytes: number): string {
  if (bytes === 0) return '0';
  const short = formatByteSize(bytes).replace(' ', '');
  return parseByteSize(short) === bytes ? short : String(bytes);
}

function trimmed(value: number): string {
  return (value >= 100 ? value.toFixed(0) : value.toFixed(1)).replace(/\.0$/, '');
}
