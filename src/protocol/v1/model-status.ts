/** States of a version (tensorflow_serving/apis/get_model_status.proto). */
export const versionStates = { START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;
type VersionState = keyof typeof versionStates;

export interface VersionStatus {
  readonly version: number;
  readonly state: VersionState;
  /** Why it cannot be served; absent where nothing is wrong. */
  readonly fault?: string;
}

/** Body of GET /v1/models/{model}, newest version first as TensorFlow Serving lists them. */
export function modelStatusBody(versions: readonly VersionStatus[]): string {
  const body = {
    model_version_status: versions.map(({ version, state, fault }) => ({
      version: String(version),
      state,
      status: { error_code: fault === undefined ? 'OK' : 'UNKNOWN', error_message: fault ?? '' },
    })),
  };
  return `${JSON.stringify(body, null, 1)}\n`;
}
