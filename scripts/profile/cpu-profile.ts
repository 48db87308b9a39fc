/** What node writes with its option cpu-prof. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of a clock of the process; `timeDeltas` are from one sample to the next. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** A function as called from where it was, and what it called. Times in microseconds. */
export interface Frame {
  readonly name: string;
  /** Of the function's file, from `src/` on; empty for what is not JavaScript. */
  readonly file: string;
  selfUs: number;
  totalUs: number;
  readonly children: Frame[];
}

/** The frames of the samples between two times since the start; what the process slept is left out. */
export function framesBetween(profile: CpuProfile, fromUs: number, toUs: number): Frame {
  const frames = new Map(profile.nodes.map((node) => [node.id, frameOf(node)]));
  for (const { id, children = [] } of profile.nodes)
    frames.get(id)!.children.push(...children.map((child) => frames.get(child)!));
  let atUs = 0;
  for (const [i, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[i]!;
    if (atUs >= fromUs && atUs < toUs) frames.get(id)!.selfUs += profile.timeDeltas[i]!;
  }
  const root = frames.get(profile.nodes[0]!.id)!;
  const awake = root.children.filter(({ name }) => name !== '(idle)');
  root.children.splice(0, root.children.length, ...awake);
  sumUp(root);
  return root;
}

function frameOf({ callFrame: { functionName, url } }: ProfileNode): Frame {
  const at = url.lastIndexOf('/src/');
  const file = at >= 0 ? url.slice(at + 1) : url.replace(/^.*\/node_modules\//, '');
  return { name: functionName === '' ? '(anonymous)' : functionName, file, selfUs: 0, totalUs: 0, children: [] };
}

function sumUp(frame: Frame): number {
  frame.totalUs = frame.selfUs;
  for (const child of frame.children) frame.totalUs += sumUp(child);
  return frame.totalUs;
}
