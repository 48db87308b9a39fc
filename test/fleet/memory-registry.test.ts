import { MemoryRegistry } from './memory-registry.ts';
import { registryContract } from './registry.contract.ts';

registryContract('MemoryRegistry', async () => {
  const registry = new MemoryRegistry();
  return () => registry;
});
