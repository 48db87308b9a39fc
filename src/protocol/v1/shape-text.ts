/** A shape as TensorFlow Serving writes it in errors. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
