/**
 * node examples/classify-image/draw-skein.ts: draws the two pictures beside it, the word SKEIN upright and turned by half
 * a circle, with a round pen along the strokes below. No font is needed, and the files are the same on every machine.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Image, writePng } from './png.ts';

type Point = readonly [x: number, y: number];
type Segment = readonly [from: Point, to: Point];

/** Strokes of each letter, as points in a box 100 high whose y grows downward. */
const letters: Readonly<Record<string, { readonly width: number; readonly strokes: readonly string[] }>> = {
  S: { width: 62, strokes: [`${arc([31, 26], [29, 26], [-20, -270])} ${arc([31, 75], [30, 25], [-90, 160])}`] },
  K: { width: 64, strokes: ['5,0 5,100', '60,0 5,60', '24,42 62,100'] },
  E: { width: 55, strokes: ['55,0 5,0 5,100 55,100', '5,48 48,48'] },
  I: { width: 10, strokes: ['5,0 5,100'] },
  N: { width: 70, strokes: ['5,100 5,0 65,100 65,0'] },
};

function arc([x, y]: Point, [radiusX, radiusY]: Point, [fromDegrees, toDegrees]: Point): string {
  const points = Array.from({ length: 25 }, (_, i) => {
    const angle = ((fromDegrees + ((toDegrees - fromDegrees) * i) / 24) * Math.PI) / 180;
    return `${x + radiusX * Math.cos(angle)},${y + radiusY * Math.sin(angle)}`;
  });
  return points.join(' ');
}

const letterHeight = 52;
const margin = 22;
const gap = 13;
const penRadius = 4.5;
const paper = 244;
const ink = 28;

function draw(word: string): Image {
  const segments: Segment[] = [];
  let left = margin;
  for (const letter of word) {
    const { width, strokes } = letters[letter] ?? { width: 40, strokes: [] };
    for (const stroke of strokes) segments.push(...segmentsOf(stroke, left));
    left += (width * letterHeight) / 100 + gap;
  }
  const width = Math.ceil(left - gap + margin);
  const height = letterHeight + 2 * margin;
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    const centre: Point = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    const distance = Math.min(...segments.map((segment) => distanceTo(centre, segment)));
    const coverage = Math.min(1, Math.max(0, penRadius + 0.5 - distance)); // a soft edge one pixel wide
    pixels[i] = Math.round(paper + (ink - paper) * coverage);
  }
  return { width, height, channels: 1, pixels };
}

function segmentsOf(stroke: string, left: number): Segment[] {
  const points = stroke.split(' ').map((pair): Point => {
    const [x = 0, y = 0] = pair.split(',').map(Number);
    return [left + (x * letterHeight) / 100, margin + (y * letterHeight) / 100];
  });
  return points.slice(1).map((to, i) => [points[i] ?? to, to]);
}

function distanceTo([x, y]: Point, [[fromX, fromY], [toX, toY]]: Segment): number {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const along = Math.min(1, Math.max(0, ((x - fromX) * dx + (y - fromY) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - fromX - along * dx, y - fromY - along * dy);
}

const upright = draw('SKEIN');
const turned = upright.pixels.toReversed(); // one channel: the bytes backwards are the picture turned by half a circle
writeFileSync(join(import.meta.dirname, 'upright.png'), writePng(upright));
writeFileSync(join(import.meta.dirname, 'upside-down.png'), writePng({ ...upright, pixels: turned }));
