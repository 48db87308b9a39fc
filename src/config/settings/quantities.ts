/** Quantities that the tables beside this file are written in: milliseconds and bytes. */
export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;

export const kib = 2 ** 10;
export const mib = 2 ** 20;
export const gib = 2 ** 30;
export const tib = 2 ** 40;
