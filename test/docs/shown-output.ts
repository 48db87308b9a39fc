/**
 * Whether a command printed what a page shows. Loosely: numbers, units and which backend it was vary from run to run, `…`
 * stands for anything, columns may be wider. In JSON, fractions may differ by a thousandth and everything else by nothing.
 */
export function isShown(language: string, shown: string, printed: string): boolean {
  if (language === 'json') return isAlike(JSON.parse(shown), JSON.parse(printed));
  return patternOf(shown).test(printed.trim());
}

const unit = '(?:ms|s|min|h|B|KiB|MiB|GiB)';

/** The shown text as a pattern of all that is as good. */
function patternOf(shown: string): RegExp {
  const pattern = shown
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/…/g, '[^]*?')
    .replace(new RegExp(`\\d+(?:\\\\.\\d+)? ${unit}\\b`, 'g'), `\\d+(?:\\.\\d+)? ${unit}`)
    .replace(/(?<![\\\w\]])\d+(?:\\\.\d+)*(?![\w(])/g, '[\\d.]+')
    .replace(/\bb\d\b/g, 'b\\d')
    .replace(/\s+/g, '\\s+');
  return new RegExp(`^${pattern}$`);
}

function isAlike(shown: unknown, printed: unknown): boolean {
  if (shown === '…') return printed !== undefined;
  if (typeof shown === 'number' && typeof printed === 'number') {
    return Number.isInteger(shown) ? shown === printed : Math.abs(shown - printed) < 1e-3;
  }
  if (typeof shown === 'string' && typeof printed === 'string') return patternOf(shown).test(printed);
  if (typeof shown !== 'object' || shown === null || typeof printed !== 'object' || printed === null)
    return shown === printed;
  const keys = Object.keys(shown);
  return (
    Array.isArray(shown) === Array.isArray(printed) &&
    keys.length === Object.keys(printed).length &&
    keys.every((key) => isAlike(shown[key as keyof typeof shown], printed[key as keyof typeof printed]))
  );
}
