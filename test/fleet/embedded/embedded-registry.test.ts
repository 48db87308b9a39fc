import { EmbeddedRegistry } from '../../../src/fleet/embedded/embedded-registry.ts';
import { registryContract } from '../registry.contract.ts';

registryContract('EmbeddedRegistry', async () => {
  const registry = new EmbeddedRegistry();
  return () => registry;
});
