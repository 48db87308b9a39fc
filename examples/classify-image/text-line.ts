/**
 * What the direction classifier takes of a picture: a line of text, 48 pixels high and at most 192 wide, its empty rest
 * on the right. Source: PaddleOCR, `tools/infer/predict_cls.py`, resize_norm_img.
 */
import type { Image } from './png.ts';

export const textLineShape = [3, 48, 192] as const;
const [channels, height, width] = textLineShape;

/** One image as FP32 [3, 48, 192], channels first, 0..255 brought to -1..1; what is right of the text stays 0. */
export function textLine(image: Image): Float32Array {
  const scaledWidth = Math.min(width, Math.ceil((height * image.width) / image.height));
  const out = new Float32Array(channels * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < scaledWidth; x++) {
      const fromY = (y * image.height) / height;
      const fromX = (x * image.width) / scaledWidth;
      const area = { fromX, fromY, toX: fromX + image.width / scaledWidth, toY: fromY + image.height / height };
      for (let channel = 0; channel < channels; channel++) {
        out[(channel * height + y) * width + x] = mean(image, area, channel) / 127.5 - 1;
      }
    }
  }
  return out;
}

interface Area {
  readonly fromX: number;
  readonly fromY: number;
  readonly toX: number;
  readonly toY: number;
}

/** The mean of the pixels that one pixel of the smaller image covers; at least the one it lies in. */
function mean(image: Image, { fromX, fromY, toX, toY }: Area, channel: number): number {
  let sum = 0;
  let count = 0;
  for (let y = Math.floor(fromY); y < Math.max(toY, Math.floor(fromY) + 1) && y < image.height; y++) {
    for (let x = Math.floor(fromX); x < Math.max(toX, Math.floor(fromX) + 1) && x < image.width; x++) {
      sum += value(image, x, y, channel);
      count++;
    }
  }
  return sum / count;
}

/** The model was trained on blue, green, red, as OpenCV has them. */
function value(image: Image, x: number, y: number, channel: number): number {
  const colour = image.channels >= 3 ? 2 - channel : 0;
  return image.pixels[(y * image.width + x) * image.channels + colour] ?? 0;
}
