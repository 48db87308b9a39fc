import type { Frame } from './cpu-profile.ts';
import { stageOf } from './stages.ts';

const width = 1_200;
const rowHeight = 16;
/** Narrower frames cannot be seen. */
const narrowest = 1;
/** Of a letter, about. */
const letterWidth = 6.5;

/** An SVG with a box for each function: as wide as its time, on top of who called it, in the colour of its stage. */
export function flameGraph(title: string, root: Frame): string {
  const boxes: string[] = [];
  const depth = draw(root, { x: 0, level: 0, usPerPixel: root.totalUs / width, boxes, totalUs: root.totalUs });
  const height = (depth + 2) * rowHeight + 8;
  const flipped = boxes.map((box) =>
    box.replace(/LEVEL(\d+)/, (_, level) => String(height - (Number(level) + 1) * rowHeight)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="4" y="14" font-size="13">${escaped(title)}</text>
${flipped.join('\n')}
</svg>
`;
}

interface Drawing {
  readonly x: number;
  readonly level: number;
  readonly usPerPixel: number;
  readonly totalUs: number;
  readonly boxes: string[];
}

/** Answers the number of levels. */
function draw(frame: Frame, at: Drawing): number {
  const boxWidth = frame.totalUs / at.usPerPixel;
  if (boxWidth < narrowest) return at.level;
  at.boxes.push(box(frame, boxWidth, at));
  let { x } = at;
  let deepest = at.level + 1;
  for (const child of frame.children.toSorted((a, b) => b.totalUs - a.totalUs)) {
    deepest = Math.max(deepest, draw(child, { ...at, x, level: at.level + 1 }));
    x += child.totalUs / at.usPerPixel;
  }
  return deepest;
}

function box({ name, file, totalUs }: Frame, boxWidth: number, { x, level, totalUs: all }: Drawing): string {
  const share = `${((100 * totalUs) / all).toFixed(1)} %`;
  const fits = Math.floor((boxWidth - 4) / letterWidth);
  const label = name.length <= fits ? name : fits > 3 ? `${name.slice(0, fits - 1)}…` : '';
  const text = label === '' ? '' : `<text x="3" y="12">${escaped(label)}</text>`;
  const shape = `<rect width="${boxWidth.toFixed(1)}" height="${rowHeight - 1}" rx="1" fill="${stageOf(name, file).colour}"/>`;
  return `<g transform="translate(${x.toFixed(1)} LEVEL${level})"><title>${escaped(`${name} ${file} ${share}`)}</title>${shape}${text}</g>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
