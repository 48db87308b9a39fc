import type { Graph, GraphNode } from './graph-nodes.ts';
import type { MetaGraph } from './saved-model.ts';

/** An operation that reaches beyond the model, in what clients can run or what a load runs. */
export interface FileOperation {
  readonly op: string;
  readonly node: string;
  readonly does: string;
}

const reads = 'reads files';
const writes = 'writes files';
const reaches = 'opens connections';

/** TensorFlow's operations that open files or connections of the host by names that a graph or its inputs give them. */
const operations: ReadonlyMap<string, string> = new Map([
  ...each(
    reads,
    'ReadFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2',
    'FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader RecordInput TextLineDataset TFRecordDataset TFRecordDatasetV2',
    'FixedLengthRecordDataset FixedLengthRecordDatasetV2 LMDBDataset ExperimentalLMDBDataset SqlDataset ExperimentalSqlDataset',
    'CSVDataset CSVDatasetV2 ExperimentalCSVDataset MatchingFilesDataset ExperimentalMatchingFilesDataset SSTableDataset',
    'LoadDataset Restore RestoreV2 RestoreSlice LoadAndRemapMatrix GenerateVocabRemapping InitializeTableFromTextFile',
    'InitializeTableFromTextFileV2',
  ),
  ...each(
    writes,
    'WriteFile Save SaveV2 SaveSlices MergeV2Checkpoints SaveDataset SaveDatasetV2 DatasetToTFRecord',
    'ExperimentalDatasetToTFRecord SnapshotDataset SnapshotDatasetV2 CacheDataset CacheDatasetV2 CreateSummaryFileWriter',
    'CreateSummaryDbWriter DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary',
    'DebugNumericSummaryV2',
  ),
  ...each(
    reaches,
    'DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RpcCall RpcClient RpcServer',
  ),
]);

/** A model's own vocabulary, filled in as it is loaded. */
const readsAssets = /^InitializeTableFromTextFile/;

/**
 * Those that a request for any signature, or the load itself, would run. A SavedModel keeps operations to save and restore
 * its variables beside them: nobody reaches those through a signature.
 */
export function fileOperations({ graph, signatures, initOperation, hasAssets }: MetaGraph): FileOperation[] {
  const roots = [...signatures.values()].flatMap(({ inputs, outputs }) => [...inputs.values(), ...outputs.values()]);
  const atLoad = initOperation === '' ? [] : reachableNodes(graph, [initOperation]);
  return [
    ...reachableNodes(graph, roots).flatMap(fileOperation),
    ...atLoad.flatMap((node) => (hasAssets && readsAssets.test(node.op) ? [] : fileOperation(node))),
  ];
}

/** Of a frozen graph, all of which may be run. */
export function fileOperationsIn({ nodes, functions }: Graph): FileOperation[] {
  return [...nodes, ...[...functions.values()].flat()].flatMap(fileOperation);
}

function fileOperation({ op, name: node, outputStream }: GraphNode): FileOperation[] {
  const does = operations.get(op) ?? (outputStream.startsWith('file') ? writes : undefined);
  return does === undefined ? [] : [{ op, node, does }];
}

/** Every node that is run for these tensors, and the bodies of all functions that are called. */
function reachableNodes({ nodes, functions }: Graph, tensors: readonly string[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const seen = new Set<string>();
  const called = new Set<string>();
  const found: GraphNode[] = [];
  const queue = tensors.map(nodeOf);
  const calls: string[] = [];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const node = byName.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    found.push(node);
    for (const input of node.inputs) queue.push(nodeOf(input));
    calls.push(...node.functions);
  }
  for (let name = calls.pop(); name !== undefined; name = calls.pop()) {
    if (called.has(name)) continue;
    called.add(name);
    for (const node of functions.get(name) ?? []) {
      found.push(node);
      calls.push(...node.functions);
    }
  }
  return found;
}

/** `^name`, `name:1` and `name` are all of one node. */
function nodeOf(tensor: string): string {
  const from = tensor.startsWith('^') ? 1 : 0;
  const colon = tensor.indexOf(':');
  return tensor.slice(from, colon < 0 ? undefined : colon);
}

function each(does: string, ...names: readonly string[]): [string, string][] {
  return names.flatMap((line) => line.split(' ')).map((name) => [name, does]);
}
