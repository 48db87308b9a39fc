import type { BackendRecord, BackendSession } from '../../adapters/adapter.ts';
import type { BackendState } from '../../protocol/link/messages.ts';
import type { PlacementBackend } from '../placement/snapshot.ts';
import type { CopyView } from './copy-view.ts';
import type { BackendStanding } from './reports.ts';

/** The reason of a backend that nobody has reached or failed to reach so far. */
export const notConnectedYet = 'not connected yet';

/** One backend as this router sees it. */
export class BackendView {
  /** Replaced where the registry says something else of it. */
  record: BackendRecord;
  readonly copies = new Map<number, CopyView>();
  session: BackendSession | undefined;
  /** Version of Skein that it runs, or ran when it was linked last. */
  software: string | undefined;
  state: BackendState = nothingKnown;
  isStalled = false;
  /** Models that an external server would load. */
  offered: ReadonlySet<string> = new Set();
  /** An operator wants it emptied, or it has told the registry that it goes. */
  isLeaving = false;
  /** What its operator should know though it serves: somebody else uses its name, say. */
  note = '';
  /** Why it is not up. */
  reason: string = notConnectedYet;
  /** Bytes of loads that this router has asked for and the backend's state does not show yet. */
  promisedBytes = 0;

  constructor(record: BackendRecord) {
    this.record = record;
  }

  get standing(): BackendStanding {
    if (this.session === undefined) return 'down';
    if (this.isStalled) return 'stalled';
    return this.state.draining || this.isLeaving ? 'draining' : 'up';
  }

  /** Runs on demand, and nobody needs it now: it is no part of what is reported. */
  get isAsleep(): boolean {
    return this.record.onDemand === true && this.session === undefined;
  }

  get inFlight(): number {
    let sum = 0;
    for (const copy of this.copies.values()) sum += copy.inFlight;
    return sum;
  }

  /** As placement sees it; undefined where it is nobody's choice: not connected, apart, or unable to load. */
  placement(assignedDemand: number): PlacementBackend | undefined {
    const { record, session, state } = this;
    if (session === undefined || !session.can.load || record.apart === true) return undefined;
    return {
      id: record.id,
      engines: record.engines,
      usableBytes: state.ceilingBytes ?? state.budgetBytes,
      usedBytes: state.usedBytes + this.promisedBytes,
      evictionPrice: state.evictionPrice,
      assignedDemand,
      state: this.isStalled ? 'suspended' : this.standing === 'draining' ? 'draining' : 'ready',
      labels: record.labels ?? {},
      ...(record.taints !== undefined && { taints: record.taints }),
      ...(record.zone !== undefined && record.zone !== '' && { zone: record.zone }),
    };
  }
}

const nothingKnown: BackendState = {
  budgetBytes: 0,
  usedBytes: 0,
  evictionPrice: 0,
  loadsQueued: 0,
  evictions: 0,
  draining: false,
  pid: 0,
};
