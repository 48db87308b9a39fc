import { PreferenceWalk } from '../placement/rendezvous.ts';

/**
 * The one router that decides about a model's copies: the first of the model's preference list of routers, so that all
 * who know the same routers name the same one, and a router that joins or leaves takes or gives up only its part. While
 * routers disagree about who is there, a model may have two owners or none: copies are then loaded twice and trimmed, or
 * as they are for a moment longer.
 */
export function ownerOf(model: string, routers: readonly string[]): string | undefined {
  // Salted: or whoever bears a backend's name would own what that backend holds.
  const members = routers.map((id) => ({ id: `router ${id}`, usableBytes: 1, router: id }));
  return new PreferenceWalk(model, members).next()?.router;
}
