import type { Spread } from './spread.ts';

/** Three digits, thousands with commas: `0.213`, `17.2`, `35,713`. */
export function figureText(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** `17.2 (16.9 to 17.8)`; a single figure where all are alike. */
export function spreadText({ median, min, max }: Spread): string {
  const [low, high] = [figureText(min), figureText(max)];
  return low === high ? figureText(median) : `${figureText(median)} (${low} to ${high})`;
}
