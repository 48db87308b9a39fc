const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const words: Readonly<Record<string, number>> = { 'an eighth': 1 / 8, 'a fifth': 1 / 5, 'a quarter': 1 / 4 };

/** Every quantity that a text tells, in milliseconds, bytes or alone: `64 KiB, 4 s` is 65536 and 4000. */
export function quantitiesIn(text: string): number[] {
  const numbers = Array.from(text.matchAll(/(\d[\d,]*)(?: (ms|s|min|KiB|MiB|GiB)\b)?/g), ([, digits, unit]) => {
    return Number(digits!.replaceAll(',', '')) * (unit === undefined ? 1 : units[unit]!);
  });
  return [...numbers, ...Object.entries(words).flatMap(([word, value]) => (text.includes(word) ? [value] : []))];
}

/** What a constant of the source is, where it is plain arithmetic: `64 * 1024`, `2 ** 30`, `1 / 8`, `4_096`. */
export function constantOf(expression: string): number | undefined {
  const operands = expression
    .trim()
    .replaceAll('_', '')
    .split(/ (\*\*|\*|\/) /);
  let value = Number(operands[0]);
  // From left to right, but powers first: `64 * 2 ** 20`.
  for (let at = 1; at < operands.length; at += 2) {
    const next =
      operands[at + 2] === '**' ? Number(operands[at + 1]) ** Number(operands[at + 3]) : Number(operands[at + 1]);
    if (operands[at] === '**') value **= next;
    else value = operands[at] === '*' ? value * next : value / next;
    if (operands[at + 2] === '**') at += 2;
  }
  return Number.isNaN(value) ? undefined : value;
}
