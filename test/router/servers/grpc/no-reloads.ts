import type { ReloadRule } from '../../../../src/router/servers/grpc/tfserving-methods.ts';

/** A server whose list of models nobody changes. */
export const noReloads: ReloadRule = {
  lists: { replace: () => Promise.reject(new Error('a list of models that nobody sent')) },
  allowRemoteLoad: false,
};
