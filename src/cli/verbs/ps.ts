import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import type { RegistryStanding } from '../../fleet/registry.ts';
import type { TurnedAway } from '../../fleet/turned-away.ts';
import type { BackendReport, FleetReport, LoadTrouble } from '../../router/mesh/reports.ts';
import type { Refusal } from '../../router/routing/quarantine.ts';
import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { counted, textTable } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const { text, body } = await adminClient('ps', call, console).get<FleetReport>('/fleet');
  if (wantsJson(call)) printBody(text, console);
  else console.out(fleetText(body));
}

export function fleetText(fleet: FleetReport): string {
  const { known, loaded, loading, failed } = fleet.models;
  const [loads, retries] = [counted(fleet.loads, 'load'), counted(fleet.retries, 'retry', 'retries')];
  const lines = [
    `skein ${fleet.version}, up ${formatDuration(fleet.uptimeMs)}`,
    `${counted(known, 'model')}: ${loaded} loaded, ${loading} loading, ${failed} failed`,
    `${counted(fleet.inFlight, 'request')} running, ${fleet.held} waiting for a load`,
    `since the start: ${loads} (${fleet.loadFailures} failed), ${retries}, ${counted(fleet.convictions, 'request')} convicted of crashing`,
  ];
  if (fleet.registry !== undefined) lines.push(registryLine(fleet.registry, fleet));
  const { turnedAway = [] } = fleet; // a router of an older version does not tell
  lines.push(...turnedAway.map(turnedAwayLine));
  const parts = [
    `${lines.join('\n')}\n`,
    textTable(
      headings,
      fleet.backends.map((backend) => backendRow(backend, fleet.version)),
    ),
  ];
  const { loadTroubles: troubles = [] } = fleet;
  if (troubles.length > 0) parts.push(textTable(troubleHeadings, troubles.map(troubleRow)));
  const { refusals = [] } = fleet;
  if (refusals.length > 0) parts.push(textTable(refusalHeadings, refusals.map(refusalRow)));
  return parts.join('\n');
}

const refusalHeadings = ['REFUSED', 'WHAT', 'MARK', 'FOR', 'WHY'];

function refusalRow({ model, what, mark, forMs }: Refusal): string[] {
  return [model, what, mark, formatDuration(forMs), 'it ended two processes'];
}

const troubleHeadings = ['DOES NOT LOAD', 'VERSION', 'TRIED ON', 'AGO', 'WHY'];

function troubleRow({ model, version, backend, agoMs, reason }: LoadTrouble): string[] {
  return [model, `${version}`, backend || '-', agoMs === undefined ? '-' : formatDuration(agoMs), reason];
}

function registryLine(
  { kind, reason }: RegistryStanding,
  { routers, routerVersions = {}, version }: FleetReport,
): string {
  const named = routers.map((id) => {
    const other = otherVersion(routerVersions[id], version);
    return other === '' ? id : `${id} (${other})`;
  });
  const among = `${counted(routers.length, 'router')}: ${named.join(', ')}`;
  return kind === 'connected' ? among : `${among}; the registry is ${kind}: ${reason}`;
}

/** While a fleet is upgraded: what does not run what the router runs that was asked. '' for one that does, or does not tell. */
function otherVersion(version: string | undefined, asked: string): string {
  return version === undefined || version === '' || version === asked ? '' : `skein ${version}`;
}

function turnedAwayLine({ role, id, where }: TurnedAway): string {
  return `a second ${role} '${id}', at ${where}, was not let in: another name (--id) is needed there`;
}

const headings = [
  'BACKEND',
  'KIND',
  'STATE',
  'COPIES',
  'RUNNING',
  'USED',
  'BUDGET',
  'CORES',
  'LOADS QUEUED',
  'PID',
  'NOTE',
];

function backendRow(backend: BackendReport, asked: string): string[] {
  const { id, kind, state, copies, inFlight, usedBytes, budgetBytes, cores, loadsQueued, pid, reason, apart, version } =
    backend;
  // An external server does not say what it uses: 0 of 0 would be a claim.
  const memory = budgetBytes > 0 ? [formatByteSize(usedBytes), formatByteSize(budgetBytes)] : ['-', '-'];
  const note = [otherVersion(version, asked), apart ? 'set apart' : '', reason]
    .filter((part) => part !== '')
    .join(': ');
  const load = [`${copies}`, `${inFlight}`, ...memory, `${cores ?? '-'}`, `${loadsQueued}`];
  return [id, kind, state, ...load, `${pid ?? '-'}`, note];
}
