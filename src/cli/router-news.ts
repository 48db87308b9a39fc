import type { ListedModel } from '../protocol/tfserving/listed-model.ts';
import type { LocalMesh } from '../router/mesh/local-mesh.ts';
import type { LoadOverride } from '../router/mesh/mesh-port.ts';
import type { ModelService } from '../router/mesh/router-siblings.ts';
import type { Refusal } from '../router/routing/quarantine.ts';
import type { ListedModels } from './listed-models.ts';

/** What a call made of the models, and what ended processes: all router processes behind one port go by it. */
export type RouterNews =
  | { readonly kind: 'service'; readonly service: ModelService }
  | { readonly kind: 'conviction'; readonly conviction: Refusal }
  /** In place of what was listed before. */
  | { readonly kind: 'list'; readonly models: readonly ListedModel[] };

/** A call that changes the models, or what one process has found out. The first of these processes takes those of all. */
export type RouterCall =
  | { readonly verb: 'load'; readonly model: string; readonly override: LoadOverride | undefined }
  | { readonly verb: 'unload'; readonly model: string }
  | { readonly verb: 'convict'; readonly conviction: Refusal }
  | { readonly verb: 'list'; readonly models: readonly ListedModel[] };

/** The processes behind one port, as each of them sees them. */
export interface RouterParty {
  /** Undefined: this one leads. */
  readonly leader: ((call: RouterCall) => Promise<void>) | undefined;
  /** Resolves when those that follow go by it. */
  tell(news: RouterNews): Promise<void>;
}

export const alone: RouterParty = { leader: undefined, tell: () => Promise.resolve() };

interface Router {
  readonly mesh: LocalMesh;
  readonly lists: ListedModels;
}

export async function takeCall({ mesh, lists }: Router, call: RouterCall): Promise<void> {
  switch (call.verb) {
    case 'load':
      return mesh.load(call.model, call.override);
    case 'unload':
      return mesh.unload(call.model);
    case 'convict':
      return mesh.convictions.hear(call.conviction);
    case 'list':
      return lists.replace(call.models);
  }
}

export async function goBy({ mesh, lists }: Router, news: RouterNews): Promise<void> {
  if (news.kind === 'list') await lists.goBy(news.models);
  else if (news.kind === 'conviction') mesh.convictions.hear(news.conviction);
  else mesh.repository.follow(news.service);
}

/** What a process that follows from now on must hear first. */
export function newsSoFar({ mesh, lists }: Router): RouterNews[] {
  const convictions = mesh.convictions.inForce().map((conviction): RouterNews => ({ kind: 'conviction', conviction }));
  const services = mesh.repository.services().map((service): RouterNews => ({ kind: 'service', service }));
  const made = [...convictions, ...services];
  return lists.sent === undefined ? made : [{ kind: 'list', models: lists.sent }, ...made];
}
