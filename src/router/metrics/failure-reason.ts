import type { ErrorCode } from '../../protocol/errors.ts';

/** Triton's four reasons of nv_inference_request_failure. */
export const failureReasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof failureReasons)[number];

const reasons: Partial<Record<ErrorCode, FailureReason>> = {
  model_loading: 'REJECTED',
  hold_full: 'REJECTED',
  no_room: 'REJECTED',
  model_too_large: 'REJECTED',
  no_backend: 'REJECTED',
  backend_draining: 'REJECTED',
  queue_full: 'REJECTED',
  queue_timeout: 'REJECTED',
  bodies_full: 'REJECTED',
  request_convicted: 'REJECTED',
  cancelled: 'CANCELED',
  run_failed: 'BACKEND',
  batch_not_split: 'BACKEND',
  copy_crashed: 'BACKEND',
  copy_gone: 'BACKEND',
  link_broken: 'BACKEND',
  internal: 'BACKEND',
};

/** Why a request failed, in Triton's terms. A client's own fault is OTHER, as there. */
export function failureReason(code: ErrorCode): FailureReason {
  return reasons[code] ?? 'OTHER';
}
