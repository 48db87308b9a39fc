import { functionsOf } from './functions.ts';
import { lineCount } from './rules.ts';
import { below, type SourceFile } from './source-tree.ts';

/** Sizes of src/ as a whole. */
interface Measures {
  readonly fileMedian: number;
  readonly fileP90: number;
  readonly functionP90: number;
}

export function measure(files: readonly SourceFile[]): Measures {
  const sources = below(files, 'src/');
  const fileLines = sources.map(({ text }) => lineCount(text));
  const functionLines = sources.flatMap(({ code }) => functionsOf(code).map(({ lines }) => lines));
  return {
    fileMedian: quantile(fileLines, 0.5),
    fileP90: quantile(fileLines, 0.9),
    functionP90: quantile(functionLines, 0.9),
  };
}

/** The smallest value that so large a share of all values does not pass. */
export function quantile(values: readonly number[], share: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? 0;
}
