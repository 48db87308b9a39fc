import type { Frame } from './cpu-profile.ts';

interface Stage {
  readonly name: string;
  readonly colour: string;
}

/** Where the time of a request goes, by the file or the name of the function that is running. The first row that fits counts. */
const stages: readonly (Stage & { readonly fits: (name: string, file: string) => boolean })[] = [
  { name: 'writing to sockets: the system call', colour: '#f4a261', fits: (name) => /^(write|shutdown)/.test(name) },
  { name: 'collecting garbage', colour: '#e76f51', fits: (name) => name === '(garbage collector)' },
  { name: 'HTTP: reading heads, writing answers', colour: '#2a9d8f', fits: under('src/router/servers/') },
  { name: 'mesh: model, copy, deadline, retries', colour: '#8ab17d', fits: under('src/router/') },
  { name: 'link: frames', colour: '#457b9d', fits: under('src/protocol/link/', 'src/protocol/reads/') },
  {
    name: 'link: requests and bodies',
    colour: '#6d9dc5',
    fits: under('src/adapters/', 'src/backends/host/backend-link'),
  },
  { name: 'reading and writing bodies', colour: '#b5838d', fits: under('src/protocol/') },
  { name: 'batching, copies', colour: '#e9c46a', fits: under('src/backends/batching/', 'src/backends/host/') },
  { name: 'calling the engine', colour: '#cdb4db', fits: under('src/backends/engines/', 'koffi') },
  { name: "node's streams, sockets and timers", colour: '#d8d8d8', fits: under('node:') },
  { name: 'everything else: polling, reading sockets, native code', colour: '#ececec', fits: () => true },
];

export function stageOf(name: string, file: string): Stage {
  return stages.find(({ fits }) => fits(name, file))!;
}

/** Microseconds of each stage for each of `requests`. */
export function budget(root: Frame, requests: number): readonly (readonly [stage: string, us: number])[] {
  const sums = new Map(stages.map(({ name }) => [name, 0]));
  const add = (frame: Frame) => {
    const { name } = stageOf(frame.name, frame.file);
    sums.set(name, sums.get(name)! + frame.selfUs);
    for (const child of frame.children) add(child);
  };
  add(root);
  return [...sums].map(([name, us]) => [name, us / requests] as const).filter(([, us]) => us >= 0.05);
}

function under(...folders: readonly string[]): (name: string, file: string) => boolean {
  return (_name, file) => folders.some((folder) => file.startsWith(folder));
}
