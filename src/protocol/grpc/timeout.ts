const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The header `grpc-timeout` in whole milliseconds, at least 1; 0 for none. Undefined where it is malformed. */
export function readGrpcTimeout(value: string | undefined): number | undefined {
  if (value === undefined) return 0;
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  if (match === null) return undefined;
  return Math.max(1, Math.ceil(Number(match[1]) * unitMs[match[2]!]!));
}
