/** A member that was not heard of for so long is forgotten by the registry; links count before that. */
export const memberTtlMs = 6_000;

/** Ids stand in keys, in metrics and on command lines. */
export const memberIdForm = /^[\w.-]{1,128}$/;
