import { defaultOptions, type V2Options } from '../../../src/adapters/v2/v2-options.ts';

/** The defaults with every pace a hundred times quicker, so that tests need not wait. */
export const quickOptions: V2Options = {
  ...defaultOptions,
  listEveryMs: 10,
  callTimeoutMs: 2_000,
  health: { intervalMs: 20, retryMs: 5, failuresToEject: 2, backOffMinMs: 5, backOffMaxMs: 40 },
};
