/** Folders of src/ from the ground up; those of one row stand beside each other and do not see each other. */
const floors: readonly (readonly string[])[] = [
  ['protocol'],
  ['config'],
  ['fleet'],
  ['adapters'],
  ['router', 'backends'],
  ['simulation'],
  ['cli'],
];

/** Why `from` must not import `to` (both paths below src/), or undefined where it may. */
export function floorFault(from: string, to: string): string | undefined {
  const [own, other] = [roomOf(from), roomOf(to)];
  if (own === other) return undefined;
  const [ownFloor, otherFloor] = [floorOf(own), floorOf(other)];
  if (ownFloor < 0) return `src/${own} has no floor`;
  if (otherFloor < 0) return `it imports ${to}, and src/${other} has no floor`;
  if (otherFloor > ownFloor) return `it imports ${to}, which stands above it`;
  if (otherFloor === ownFloor) return `it imports ${to}: ${own} and ${other} do not know each other`;
  return undefined;
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room));
}
