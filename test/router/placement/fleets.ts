import fc from 'fast-check';
import type { PlacementBackend, PlacementModel } from '../../../src/router/placement/snapshot.ts';

/** Small fleets with everything that placement looks at. Bytes are small numbers, so that exact fits happen. */
export const backends: fc.Arbitrary<PlacementBackend[]> = fc.uniqueArray(
  fc
    .record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      engines: fc.subarray(['onnx', 'tensorflow']),
      usableBytes: fc.integer({ min: 0, max: 100 }),
      usedPart: fc.constantFrom(0, 0.2, 0.5, 0.9, 1),
      evictionPrice: fc.constantFrom(0, 0.5, 1, 2, 10, Infinity),
      assignedDemand: fc.integer({ min: 0, max: 50 }),
      state: fc.constantFrom(
        'ready' as const,
        'ready' as const,
        'ready' as const,
        'draining' as const,
        'suspended' as const,
      ),
      labels: fc.constantFrom<Record<string, string>>({}, { zone: 'a' }, { zone: 'b' }),
    })
    .map(({ usedPart, ...backend }) => ({ ...backend, usedBytes: Math.floor(usedPart * backend.usableBytes) })),
  { selector: ({ id }) => id, maxLength: 8 },
);

export const models: fc.Arbitrary<PlacementModel> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 6 }),
  version: fc.integer({ min: 1, max: 3 }),
  expectedBytes: fc.integer({ min: 1, max: 60 }),
  demand: fc.integer({ min: 0, max: 20 }),
  engine: fc.constantFrom('onnx', 'tensorflow'),
  requires: fc.constantFrom<Record<string, string>>({}, { zone: 'a' }),
});

/** An empty backend that is like every other; `changes` make it less so. */
export function backend(id: string, changes: Partial<PlacementBackend> = {}): PlacementBackend {
  const plain = { engines: ['onnx'], usableBytes: 100, usedBytes: 0, evictionPrice: 0, assignedDemand: 0 };
  return { id, ...plain, state: 'ready', labels: {}, ...changes };
}

export function model(name: string, changes: Partial<PlacementModel> = {}): PlacementModel {
  return { name, version: 1, expectedBytes: 10, demand: 1, engine: 'onnx', ...changes };
}
