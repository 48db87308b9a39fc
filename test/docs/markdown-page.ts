import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
interface CodeBlock {
  /** `sh`, `json`, …; '' where the fence names none. */
  readonly language: string;
  /** Further words of the fence: `answer` marks what the block before it prints. */
  readonly role: string;
  readonly text: string;
  readonly line: number;
  /** Why it is not run, from a comment in front of it: `<!-- not run: … -->`. */
  readonly notRun: string | undefined;
}

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly CodeBlock[];
  /** What is not code. */
  readonly prose: string;
  /** Names by which its headings can be linked to. */
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

const root = join(import.meta.dirname, '../..');

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(root, path), 'utf8'));
}

export function parsePage(path: string, text: string): Page {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let open: { language: string; role: string; line: number; lines: string[]; notRun: string | undefined } | undefined;
  let notRun: string | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const fence = /^```\s*([\w-]*)\s*(.*)$/.exec(line);
    if (fence === null) {
      if (open !== undefined) open.lines.push(line);
      else prose.push(line);
      const reason = /^<!-- not run: (.+) -->$/.exec(line)?.[1];
      if (open === undefined && line.trim() !== '') notRun = reason;
    } else if (open === undefined) {
      open = { language: fence[1]!, role: fence[2]!.trim(), line: i + 1, lines: [], notRun };
    } else {
      const { lines, ...facts } = open;
      blocks.push({ ...facts, text: `${lines.join('\n')}\n` });
      open = undefined;
      notRun = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${path}: the block of line ${open.line} does not end`);
  const proseText = prose.join('\n');
  return { path, text, blocks, prose: proseText, anchors: anchorsOf(proseText), links: linksOf(proseText) };
}

/** As GitHub makes them: lower case, without punctuation, dashes for spaces, numbered where they come again. */
function anchorsOf(prose: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    let name = anchor;
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

function linksOf(prose: string): string[] {
  const withoutCode = prose.replace(/`[^`]*`/g, '');
  return Array.from(
    withoutCode.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)$/gm),
    ([, inline, named]) => inline ?? named!,
  );
}
