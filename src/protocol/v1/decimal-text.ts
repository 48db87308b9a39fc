/**
 * A real as TensorFlow Serving writes it: six digits (`%g`) where they are enough to read the same number back, else as
 * many as the type needs at most; always with a point or an exponent, so that a reader knows a real. NaN and infinities
 * are bare, which is no JSON, but what its clients read.
 */
export function decimalText(value: number, type: 'FP32' | 'FP64'): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  const magnitude = Math.abs(value);
  const digits = type === 'FP32' ? 9 : 17;
  if (magnitude >= 0.001 && magnitude < 1e5 && !isShort(value, magnitude, type)) return plainText(value, digits);
  let text = generalText(value, 6);
  const readBack = type === 'FP32' ? Math.fround(Number(text)) : Number(text);
  if (readBack !== value) text = generalText(value, digits);
  return text.includes('.') || text.includes('e') ? text : `${text}.0`;
}

/**
 * Whether six digits read back as the same number, for one that needs no exponent: found by arithmetic, because most
 * answers of models are not short and turning them into text twice is what they cost.
 */
function isShort(value: number, magnitude: number, type: 'FP32' | 'FP64'): boolean {
  let scale = 1e8;
  for (let bound = 0.01; magnitude >= bound; bound *= 10) scale /= 10;
  // quotients of whole numbers are rounded once, and so the nearest number to those six digits
  const rounded = Math.round(value * scale) / scale;
  return (type === 'FP32' ? Math.fround(rounded) : rounded) === value;
}

/** With all digits, in a range where C writes no exponent; never whole, because a whole number here is short. */
function plainText(value: number, digits: number): string {
  return withoutZeros(halfToEven(value, digits, value.toPrecision(digits)));
}

/** C's `%.{digits}g`. */
function generalText(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const scientific = value.toExponential(digits - 1);
  const exponent = Number(scientific.slice(scientific.indexOf('e') + 1));
  if (exponent >= -4 && exponent < digits) return withoutZeros(halfToEven(value, digits, value.toPrecision(digits)));
  const mantissa = halfToEven(value, digits, scientific.slice(0, scientific.indexOf('e')));
  const magnitude = String(Math.abs(exponent)).padStart(2, '0');
  return `${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${magnitude}`;
}

/** Digits that hold every number with so few bits behind the point exactly. */
const exactDigits = 60;

/**
 * C rounds a tie to the even digit, JavaScript away from zero. The last decimal digit of a tie is a 5 of its own, which
 * takes few bits behind the point: all other numbers are not looked at.
 */
function halfToEven(value: number, digits: number, rounded: string): string {
  if (!isOdd(rounded) || !Number.isInteger(value * 2 ** 26)) return rounded;
  const exact = value.toExponential(exactDigits);
  const rest = exact.slice(exact.indexOf('.') + digits, exact.indexOf('e'));
  if (!/^50*$/.test(rest)) return rounded;
  // the digit is odd, so that the one below it needs no carry
  return rounded.slice(0, -1) + String(Number(rounded.at(-1)) - 1);
}

function isOdd(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 1) === 1;
}

function withoutZeros(text: string): string {
  return text.endsWith('0') && text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
