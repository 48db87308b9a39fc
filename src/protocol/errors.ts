/**
 * Every error that Skein answers with: one row each, never reused for another meaning.
 *
 * `kind` is what a client dialect (V2, gRPC, TensorFlow Serving) translates to its own status; nothing inside knows an
 * HTTP status. `retry` says whether the router may try another copy. Texts follow Triton where Triton has one, because
 * its users match on them. docs/reference/errors.md is generated from this table and held equal to it by a test.
 */

export type ErrorKind =
  | 'invalid' // the client's fault: it must change the request
  | 'not_found'
  | 'forbidden'
  | 'method' // wrong HTTP method on a known path
  | 'too_large'
  | 'unsupported' // Skein does not do this, and says so
  | 'unavailable' // later, or elsewhere, it may work
  | 'deadline'
  | 'cancelled'
  | 'internal';

interface ErrorRow {
  readonly kind: ErrorKind;
  readonly retry: boolean;
  readonly template: string;
}

export const errorTable = {
  // --- finding the model
  model_unknown: {
    kind: 'not_found',
    retry: false,
    template:
      "Request for unknown model: '{model}' is not found; `skein models` and POST /v2/repository/index list those that are",
  },
  version_unknown: {
    kind: 'not_found',
    retry: false,
    template: "Request for unknown model: '{model}' version {version} is not found; its metadata lists those that are",
  },
  model_unavailable: {
    kind: 'not_found',
    retry: false,
    template: "Request for unknown model: '{model}' has no available versions",
  },
  version_malformed: {
    kind: 'invalid',
    retry: false,
    template:
      "failed to get model version from specified version string '{version}' (details: stol), version should be an integral value > 0",
  },
  // --- HTTP in front of every dialect
  path_unknown: {
    kind: 'not_found',
    retry: false,
    template:
      'Not Found: no endpoint is there; GET /v2 describes the server, POST /v2/repository/index lists its models',
  },
  method_wrong: { kind: 'method', retry: false, template: 'Method Not Allowed: this endpoint takes {allowed}' },
  http_malformed: { kind: 'invalid', retry: false, template: 'the request is not well-formed HTTP: {reason}' },
  http_head_too_large: {
    kind: 'too_large',
    retry: false,
    template: 'the request line and headers are larger than {limitBytes} bytes (setting max-header)',
  },
  http_too_slow: {
    kind: 'invalid',
    retry: false,
    template: 'the head of the request did not arrive within {seconds} s (setting headers-timeout)',
  },
  expectation_unknown: { kind: 'invalid', retry: false, template: "Expect: {value} cannot be met; '100-continue' can" },
  connections_full: {
    kind: 'unavailable',
    retry: false,
    template: '{connections} connections are open, as many as this server takes (setting max-connections)',
  },
  body_too_large: {
    kind: 'too_large',
    retry: false,
    template: 'the request body is {bodyBytes} bytes, at most {limitBytes} are taken (setting max-body)',
  },
  body_grew_too_large: {
    kind: 'too_large',
    retry: false,
    template: 'the request body {how} more than {limitBytes} bytes, the most that are taken (setting max-body)',
  },
  body_stalled: {
    kind: 'invalid',
    retry: false,
    template: 'the request body stopped short of its {expected}: nothing came for {seconds} s (setting body-timeout)',
  },
  answer_not_taken: { kind: 'cancelled', retry: false, template: 'the client took nothing of its answer for too long' },
  body_encoding: {
    kind: 'invalid',
    retry: false,
    template: "Unsupported compression type '{coding}': send the body as gzip, as deflate or as it is",
  },
  body_corrupt: { kind: 'invalid', retry: false, template: 'the request body is not valid {encoding}: {reason}' },
  body_kind: { kind: 'invalid', retry: false, template: 'the request body must be {wanted}' },
  value_kind: { kind: 'invalid', retry: false, template: 'attempt to access JSON {phrase}' },
  timeout_malformed: {
    kind: 'invalid',
    retry: false,
    template: "{header} must be a whole number of milliseconds from 1 to {limit}, got '{value}'",
  },
  query_unknown: { kind: 'invalid', retry: false, template: '{parameter}={value} is not one of {known}' },
  signature_unknown: {
    kind: 'invalid',
    retry: false,
    template: "signature '{signature}' is not found in model '{model}', whose signatures are {known}",
  },
  // --- what is asked about models and servers rather than of a model
  model_not_ready: { kind: 'invalid', retry: false, template: 'Model version not ready' },
  statistics_model: { kind: 'invalid', retry: false, template: "requested model '{model}' is not available" },
  statistics_version: {
    kind: 'invalid',
    retry: false,
    template: "requested model version is not available for model '{model}'",
  },
  repository_named: { kind: 'unsupported', retry: false, template: "'repository_name' specification is not supported" },
  load_parameter_unknown: { kind: 'invalid', retry: false, template: "unrecognized load parameter '{parameter}'." },
  load_parameters_remote: {
    kind: 'forbidden',
    retry: false,
    template:
      'files and configurations in a load call are taken from loopback only, and not from web pages; start with --allow-remote-load to take them from {address}',
  },
  region_unknown: {
    kind: 'not_found',
    retry: false,
    template: "Unable to find {memory} shared memory region: '{region}'",
  },
  endpoint_unsupported: { kind: 'unsupported', retry: false, template: '{endpoint} is not supported: {instead}' },
  // --- loading
  load_failed: {
    kind: 'invalid',
    retry: false,
    template: "load failed for model '{model}': version {version} is at UNAVAILABLE state: {reason}",
  },
  model_loading: {
    kind: 'unavailable',
    retry: false,
    template:
      "model '{model}' needs about {seconds} s to load, longer than this request may wait; send it again after Retry-After",
  },
  model_failed: {
    kind: 'not_found',
    retry: false,
    template: "Request for unknown model: '{model}' has no available versions: {reason}",
  },
  load_unknown: {
    kind: 'not_found',
    retry: false,
    template: "failed to load '{model}', failed to poll from model repository: no model there has this name",
  },
  load_config: {
    kind: 'invalid',
    retry: false,
    template: "failed to load '{model}', failed to poll from model repository: {reason}",
  },
  load_parameter: { kind: 'invalid', retry: false, template: "load of model '{model}': {detail}" },
  backend_unknown: {
    kind: 'not_found',
    retry: false,
    template: "no backend is called '{backend}'; `skein ps` lists them",
  },
  no_room: {
    kind: 'unavailable',
    retry: true,
    template: "model '{model}' needs {neededBytes} bytes and no backend can free as much now: {detail}",
  },
  model_too_large: {
    kind: 'unavailable',
    retry: true,
    template:
      "model '{model}' needs {neededBytes} bytes, more than the whole budget of this backend, {budgetBytes}: give one of its engine more (setting memory)",
  },
  backend_draining: {
    kind: 'unavailable',
    retry: true,
    template: "model '{model}' is not loaded by a backend that is about to end; send the request again",
  },
  no_backend: {
    kind: 'unavailable',
    retry: false,
    template: "no backend can serve model '{model}' now: {detail}",
  },
  // --- model repository
  repository_unreadable: {
    kind: 'unavailable',
    retry: false,
    template: "the model repository '{path}' cannot be read: {reason}",
  },
  model_name_invalid: { kind: 'invalid', retry: false, template: "'{name}' cannot be the name of a model: {reason}" },
  model_file_missing: {
    kind: 'invalid',
    retry: false,
    template:
      "model '{model}' version {version} has no model file: looked for {tried} in '{path}', which holds {found}",
  },
  link_outside: {
    kind: 'invalid',
    retry: false,
    template:
      "'{path}' is a link that leads out of the model repository and is not followed; move what it names into the repository, or allow such links",
  },
  config_malformed: {
    kind: 'invalid',
    retry: false,
    template: "the configuration of model '{model}' is wrong at {where}: {reason}",
  },
  config_refused: {
    kind: 'unsupported',
    retry: false,
    template: "the configuration of model '{model}' sets {field} at {where}, which is not supported: {reason}",
  },
  config_mismatch: { kind: 'invalid', retry: false, template: '{reason}' },
  engine_missing: {
    kind: 'unavailable',
    retry: false,
    template: '{engine} cannot be used: {detail}',
  },
  provider_unavailable: {
    kind: 'unavailable',
    retry: false,
    template:
      "execution provider '{provider}' cannot be used: {reason}; set SKEIN_PROVIDER_FALLBACK=cpu to run on the CPU instead",
  },
  graph_opens_files: {
    kind: 'forbidden',
    retry: false,
    template:
      "model '{model}' is not loaded, because its graph may open files or connections of this host: {operations}; where you trust its makers, start with --tensorflow-file-ops allow",
  },
  io_unsupported: {
    kind: 'unsupported',
    retry: false,
    template:
      "{side} '{name}' of model '{model}' is {type}; Skein serves models whose inputs and outputs are all tensors of V2 datatypes",
  },
  // --- reading a V2 request; the texts are Triton's, whose 500 for a client's fault becomes an honest 400
  json_malformed: {
    kind: 'invalid',
    retry: false,
    template: 'failed to parse the request JSON buffer: {reason} at {offset}',
  },
  json_too_deep: {
    kind: 'invalid',
    retry: false,
    template: 'JSON nesting depth exceeds maximum allowed limit ({limit})',
  },
  json_kind: { kind: 'invalid', retry: false, template: 'Unable to parse {what}: attempt to access JSON {phrase}' },
  json_member_missing: {
    kind: 'invalid',
    retry: false,
    template: "Unable to parse '{field}': attempt to access non-existing object member '{field}'",
  },
  parameters_kind: {
    kind: 'invalid',
    retry: false,
    template: 'failed to get request params.: attempt to get members for non-object',
  },
  parameter_kind: {
    kind: 'invalid',
    retry: false,
    template: "parameter '{parameter}' has invalid type. It should be either 'int', 'bool', or 'string'.",
  },
  parameter_reserved: {
    kind: 'invalid',
    retry: false,
    template: "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.",
  },
  data_count: {
    kind: 'invalid',
    retry: false,
    template:
      "Unable to parse 'data': Shape does not match true shape of 'data' field: it has {found} elements than the {count} of the shape",
  },
  integer_out_of_range: {
    kind: 'invalid',
    retry: false,
    template: "Unable to parse 'data': {value} is out of range for {datatype}, which holds {range}",
  },
  data_sources: {
    kind: 'invalid',
    retry: false,
    template:
      "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. But {found}",
  },
  datatype_unknown: {
    kind: 'invalid',
    retry: false,
    template: 'invalid datatype for input {input}: expected one of {datatypes}',
  },
  half_float_json_in: {
    kind: 'invalid',
    retry: false,
    template:
      'receiving {datatype} data via JSON is not supported. Please use the binary data format for input {input}',
  },
  half_float_json_out: {
    kind: 'invalid',
    retry: false,
    template: 'sending {datatype} data via JSON is not supported. Please use the binary data format for output',
  },
  shape_invalid: {
    kind: 'invalid',
    retry: false,
    template: "invalid shape for input '{input}': shape {shape} contains one or more invalid dimensions",
  },
  shape_too_large: {
    kind: 'invalid',
    retry: false,
    template:
      "invalid shape for input '{input}': shape {shape} causes total element count to exceed maximum size of 9223372036854775807",
  },
  header_length_range: {
    kind: 'invalid',
    retry: false,
    template: 'inference header size should be in range (0, {bodyBytes}), got: {headerBytes}',
  },
  header_length_malformed: {
    kind: 'invalid',
    retry: false,
    template: 'Unable to parse Inference-Header-Content-Length, got: {value}',
  },
  binary_without_header: {
    kind: 'invalid',
    retry: false,
    template:
      "must specify valid 'Infer-Header-Content-Length' in request header and 'binary_data_size' when passing inputs in binary data format",
  },
  binary_too_short: {
    kind: 'invalid',
    retry: false,
    template: "unexpected size for input '{input}', expecting {missingBytes} additional bytes for model '{model}'",
  },
  binary_too_long: {
    kind: 'invalid',
    retry: false,
    template: "unexpected additional input data for model '{model}'",
  },
  shared_memory_disabled: {
    kind: 'unsupported',
    retry: false,
    template:
      "Client shared memory is disabled. Skein does not share memory with clients: send tensors in the body, as 'data' or as binary data.",
  },
  raw_input_count: {
    kind: 'invalid',
    retry: false,
    template:
      "Raw request must only have 1 input (found 1) to be deduced but got {count} inputs in '{model}' model configuration",
  },
  raw_input_shape: {
    kind: 'invalid',
    retry: false,
    template:
      "The shape of the raw input '{input}' can not be deduced because there are more than one variable-sized dimension",
  },
  raw_input_bytes: {
    kind: 'invalid',
    retry: false,
    template: "For BYTE datatype raw input '{input}', the model must have input shape [1]",
  },
  // --- TensorFlow Serving's dialects; the texts are its own, with its grammar and its trailing spaces
  v1_body_form: { kind: 'invalid', retry: false, template: 'JSON Value: {value} {fault}' },
  v1_path_malformed: { kind: 'invalid', retry: false, template: 'Malformed request: {method} {path}' },
  v1_model_missing: { kind: 'invalid', retry: false, template: 'Missing model name in request.' },
  versions_unknown: { kind: 'not_found', retry: false, template: 'Could not find any versions of model {model}' },
  version_state_unknown: {
    kind: 'not_found',
    retry: false,
    template: 'Could not find version {version} of model {model}',
  },
  label_unknown: { kind: 'invalid', retry: false, template: 'Unrecognized servable version label: {label}' },
  v1_inputs_missing: { kind: 'invalid', retry: false, template: "Missing 'inputs' or 'instances' key" },
  v1_no_input_map: {
    kind: 'invalid',
    retry: false,
    template: 'Failed to get input map for signature: {signature}',
  },
  v1_element_type: {
    kind: 'invalid',
    retry: false,
    template: 'JSON Value: {value} Type: {type} is not of expected type: {dtype}',
  },
  v1_type_unsupported: {
    kind: 'unsupported',
    retry: false,
    template: 'Conversion of JSON Value: {value} to type: {dtype}',
  },
  v1_base64_object: {
    kind: 'invalid',
    retry: false,
    template: 'JSON Value: {value} not formatted correctly for base64 data',
  },
  v1_base64: { kind: 'invalid', retry: false, template: 'Unable to base64 decode' },
  v1_value_level: {
    kind: 'invalid',
    retry: false,
    template: 'JSON Value: {value} found at incorrect level: {level} in the JSON DOM. Expected at level: {rank}',
  },
  v1_list_level: {
    kind: 'invalid',
    retry: false,
    template: 'Encountered list at unexpected level: {level} expected < {rank}',
  },
  v1_list_size: {
    kind: 'invalid',
    retry: false,
    template: 'Encountered list at unexpected size: {size} at level: {level} expected size: {expected}',
  },
  v1_instance: {
    kind: 'invalid',
    retry: false,
    template: "Failed to process element: {row}{key} of 'instances' list. Error: {status}: {reason}",
  },
  v1_instance_size: { kind: 'invalid', retry: false, template: 'Expecting tensor size: {expected} but got: {got}' },
  v1_instance_shape: { kind: 'invalid', retry: false, template: 'Expecting shape {expected} but got: {got}' },
  v1_instance_keys: {
    kind: 'invalid',
    retry: false,
    template:
      "Failed to process element: {row} of 'instances' list. JSON object: {value} keys must be equal to: {names}",
  },
  v1_input_unknown: { kind: 'invalid', retry: false, template: 'JSON object: does not have named input: {input}' },
  v1_input_missing: { kind: 'invalid', retry: false, template: "Missing named input: {input} in 'inputs' object." },
  v1_plain_list: {
    kind: 'invalid',
    retry: false,
    template:
      'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
  },
  v1_plain_inputs: {
    kind: 'invalid',
    retry: false,
    template:
      'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
  },
  v1_object_expected: {
    kind: 'invalid',
    retry: false,
    template: 'Expecting object but got list at item {row} of input list',
  },
  v1_value_expected: {
    kind: 'invalid',
    retry: false,
    template: 'Expecting value/list but got object at item {row} of input list',
  },
  v1_output_scalar: { kind: 'invalid', retry: false, template: 'Tensor name: {output} has no shape information ' },
  v1_output_rows: {
    kind: 'invalid',
    retry: false,
    template: 'Tensor name: {output} has inconsistent batch size: {rows} expecting: {expected}',
  },
  v1_output_type: { kind: 'invalid', retry: false, template: 'Failed to write JSON value for tensor type: {dtype}' },
  v1_example_kind: { kind: 'invalid', retry: false, template: 'Example must be JSON object but got JSON {type}' },
  feature_element: {
    kind: 'invalid',
    retry: false,
    template: 'Feature: {feature} has element with unexpected JSON type: {type}',
  },
  feature_mixed: {
    kind: 'invalid',
    retry: false,
    template: 'Unexpected element type in feature: {feature} expecting type: {kind}',
  },
  feature_uint64: {
    kind: 'invalid',
    retry: false,
    template: 'Feature: {feature} has uint64_t element. Only int64_t is supported.',
  },
  feature_missing: {
    kind: 'invalid',
    retry: false,
    template: 'Name: <unknown>, Feature: {feature} (data type: {dtype}) is required but could not be found.',
  },
  feature_type: {
    kind: 'invalid',
    retry: false,
    template: "Name: <unknown>, Key: {feature}, Index: {index}.  Data types don't match. Expected type: {dtype}",
  },
  feature_size: {
    kind: 'invalid',
    retry: false,
    template:
      'Name: <unknown>, Key: {feature}, Index: {index}.  Number of {dtype} values != expected.  values size: {got} but output shape: {shape}',
  },
  signature_unfit: { kind: 'invalid', retry: false, template: '{reason}' },
  predict_input_count: {
    kind: 'invalid',
    retry: false,
    template:
      'input size does not match signature: {got}!={expected} len({{names}}) != len({{declared}}). Sent extra: {{extra}}. Missing but required: {{missing}}.',
  },
  predict_input_missing: {
    kind: 'invalid',
    retry: false,
    template:
      'Signature input alias: {input}(feed name: {input}) not found in request and no default value provided. Inputs expected to be in the request {{names}}, or default input alias set: ',
  },
  predict_output_unknown: {
    kind: 'invalid',
    retry: false,
    template: 'output tensor alias not found in signature: {output} Outputs expected to be in the set {{declared}}.',
  },
  predict_output_twice: { kind: 'invalid', retry: false, template: 'duplicate output tensor alias: {output}' },
  task_duplicate: { kind: 'invalid', retry: false, template: 'Duplicate evaluation of signature: {signature}' },
  task_model: {
    kind: 'invalid',
    retry: false,
    template: 'All ModelSpecs in a MultiInferenceRequest must access the same model name.',
  },
  task_unnamed: { kind: 'invalid', retry: false, template: 'Found ModelSpec with an empty model name.' },
  task_method: { kind: 'unsupported', retry: false, template: 'Unsupported signature method_name: {method}' },
  dialect_unsupported: {
    kind: 'unsupported',
    retry: true,
    template:
      "backend '{backend}', a server of somebody else's, takes requests of the Open Inference Protocol V2 alone: ask for the model at /v2/models/{model}/infer",
  },
  body_unknown: {
    kind: 'unsupported',
    retry: true,
    template: 'bodies of kind {kind} are not known to this backend, which is of an older version than its router',
  },
  task_too_large: {
    kind: 'invalid',
    retry: false,
    template: 'Task size {rows} is larger than maximum input batch size {limit}',
  },
  // --- lists of models
  model_list: { kind: 'invalid', retry: false, template: '{reason}' },
  label_unavailable: {
    kind: 'invalid',
    retry: false,
    template:
      'Request to assign label to version {version} of model {model}, which is not currently available for inference',
  },
  reload_kind: {
    kind: 'invalid',
    retry: false,
    template:
      'ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported',
  },
  reload_remote: {
    kind: 'forbidden',
    retry: false,
    template:
      'lists of models, which name directories of this machine, are taken from loopback only; start with --allow-remote-load to take them from {address}',
  },
  // --- gRPC
  grpc_method_unknown: { kind: 'unsupported', retry: false, template: 'the method {path} is not served here' },
  grpc_malformed: { kind: 'invalid', retry: false, template: 'the call is not well-formed gRPC: {reason}' },
  model_spec_missing: { kind: 'invalid', retry: false, template: 'Missing ModelSpec' },
  model_spec_late: {
    kind: 'unavailable',
    retry: true,
    template:
      'the ModelSpec is not the first field of the message, and {heldBytes} bytes of bodies are held, as many as may be ({limitBytes}, setting retry-pool); write it first, or send it again',
  },
  model_spec_unnamed: { kind: 'invalid', retry: false, template: 'ModelSpec has no name specified.' },
  metadata_field_missing: {
    kind: 'invalid',
    retry: false,
    template: 'GetModelMetadataRequest must specify at least one metadata_field',
  },
  metadata_field_unknown: { kind: 'invalid', retry: false, template: 'Metadata field {field} is not supported' },
  // --- protobuf messages
  protobuf_malformed: {
    kind: 'invalid',
    retry: false,
    template: 'the message is not well-formed protobuf: {reason}',
  },
  tensor_proto_type: {
    kind: 'invalid',
    retry: false,
    template: 'tensor parsing error: {input} is of DataType {type}, which has no tensors here',
  },
  tensor_proto_malformed: { kind: 'invalid', retry: false, template: 'tensor parsing error: {input}: {reason}' },
  examples_missing: { kind: 'invalid', retry: false, template: 'Input is empty.' },
  // --- checking a request against the model, in every dialect
  input_count: {
    kind: 'invalid',
    retry: false,
    template:
      "expected {expected} but got {got} inputs for model '{model}'. Got input(s) [{names}], but missing required input(s) [{missing}]. Please provide all required input(s).",
  },
  input_unknown: {
    kind: 'invalid',
    retry: false,
    template: "unexpected inference input '{input}' for model '{model}'; it takes {declared}",
  },
  input_twice: { kind: 'invalid', retry: false, template: "input '{input}' already exists in request" },
  output_unknown: {
    kind: 'invalid',
    retry: false,
    template: "unexpected inference output '{output}' for model '{model}'; it gives {declared}",
  },
  output_twice: { kind: 'invalid', retry: false, template: "output '{output}' already exists in request" },
  input_datatype: {
    kind: 'invalid',
    retry: false,
    template: "inference input '{input}' data-type is '{got}', but model '{model}' expects '{expected}'",
  },
  input_shape: {
    kind: 'invalid',
    retry: false,
    template: "unexpected shape for input '{input}' for model '{model}'. Expected {expected}, got {got}.{note}",
  },
  input_shape_open: {
    kind: 'invalid',
    retry: false,
    template: "All input dimensions should be specified for input '{input}' for model '{model}', got {got}",
  },
  batch_dimension_missing: {
    kind: 'invalid',
    retry: false,
    template: "input '{input}' has no shape but model requires batch dimension for '{model}'",
  },
  batch_mismatch: {
    kind: 'invalid',
    retry: false,
    template: "input '{input}' batch size does not match other inputs for '{model}'",
  },
  batch_too_large: {
    kind: 'invalid',
    retry: false,
    template:
      "inference request batch-size must be <= {maxBatchSize} for '{model}', got {got}: the first dimension of every input is the batch",
  },
  batch_empty: { kind: 'invalid', retry: false, template: "inference request batch-size must be >= 1 for '{model}'" },
  input_bytes: {
    kind: 'invalid',
    retry: false,
    template: "input byte size mismatch for input '{input}' for model '{model}'. Expected {expected}, got {got}",
  },
  string_prefix_cut: {
    kind: 'invalid',
    retry: false,
    template:
      "incomplete string length indicator for inference input '{input}' for model '{model}', expecting 4 bytes but only {bytes} bytes available. Please make sure the string length indicator is in one buffer.",
  },
  string_cut: {
    kind: 'invalid',
    retry: false,
    template:
      "incomplete string data for inference input '{input}', expecting string of length {length} but only {bytes} bytes available",
  },
  strings_missing: {
    kind: 'invalid',
    retry: false,
    template: "expected {expected} string elements for inference input '{input}' for model '{model}', got {got}",
  },
  strings_surplus: {
    kind: 'invalid',
    retry: false,
    template:
      "unexpected number of string elements {got} for inference input '{input}' for model '{model}', expecting {expected}",
  },
  class_datatype: {
    kind: 'invalid',
    retry: false,
    template: "class result not available for output due to unsupported type '{datatype}'",
  },
  class_count: {
    kind: 'invalid',
    retry: false,
    template: "'classification' of output '{output}' is {count}; at most {limit} classes can be asked for",
  },
  // --- running
  copy_gone: {
    kind: 'unavailable',
    retry: true,
    template: "the copy of model '{model}' left its backend before it answered",
  },
  copy_crashed: {
    kind: 'unavailable',
    retry: true,
    template: "the process that ran model '{model}' ended while it ran this request",
  },
  request_convicted: {
    kind: 'invalid',
    retry: false,
    template:
      "this request ended the process of model '{model}' twice; the same body is refused for {seconds} s. Look for an operation that the model cannot do on these values (an integer division that overflows, say)",
  },
  queue_full: { kind: 'unavailable', retry: true, template: 'Exceeds maximum queue size' },
  queue_timeout: { kind: 'unavailable', retry: false, template: 'Request timeout expired' },
  hold_full: {
    kind: 'unavailable',
    retry: false,
    template:
      "{depth} requests wait for model '{model}' to load, as many as the router holds; send it again after Retry-After",
  },
  deadline_passed: { kind: 'deadline', retry: false, template: 'the deadline passed after {ms} ms, {stage}' },
  cancelled: { kind: 'cancelled', retry: false, template: 'the client went away before the answer' },
  batch_not_split: {
    kind: 'unsupported',
    retry: false,
    template:
      "failed to split the output tensor '{output}' of model '{model}' in responses: expected {rows} rows, got shape {got}. The model mixes the rows of a batch; set max_batch_size to 0 or leave dynamic_batching out",
  },
  bodies_full: {
    kind: 'unavailable',
    retry: true,
    template:
      'request bodies of {heldBytes} bytes wait in this backend, as many as it holds ({limitBytes}); send it again',
  },
  run_failed: { kind: 'invalid', retry: false, template: '{reason}' },
  answer_too_large: {
    kind: 'invalid',
    retry: false,
    template: 'the answer is {bytes} bytes, at most {limitBytes} can be sent; ask for fewer outputs or fewer rows',
  },
  link_broken: {
    kind: 'unavailable',
    retry: true,
    template: "the connection to backend '{backend}' ended: {reason}",
  },
  // --- settings and the command line
  setting_invalid: { kind: 'invalid', retry: false, template: '{origin} is {value}; expected {expected}' },
  setting_unknown: { kind: 'invalid', retry: false, template: '{origin} is not a setting; {suggestion}' },
  settings_file_wrong: { kind: 'invalid', retry: false, template: 'the file {path} cannot be used: {reason}' },
  batching_parameters: { kind: 'invalid', retry: false, template: '{reason}' },
  settings_file: { kind: 'invalid', retry: false, template: 'the settings file {path} cannot be used: {reason}' },
  state_unusable: {
    kind: 'invalid',
    retry: false,
    template: "the state directory '{path}' cannot be used: {reason}; name another one with --state",
  },
  settings_conflict: { kind: 'invalid', retry: false, template: '{reason}' },
  usage: { kind: 'invalid', retry: false, template: '{reason}' },
  server_refused: { kind: 'invalid', retry: false, template: '{reason}' },
  server_unreachable: {
    kind: 'unavailable',
    retry: false,
    template:
      'no server answers at {url} ({reason}); start one with `skein serve --models DIR`, or name another with --url or SKEIN_URL',
  },
  // --- the fleet and its registry
  entry_invalid: { kind: 'invalid', retry: false, template: "catalogue entry '{name}' cannot be used: {reason}" },
  registry_unreachable: {
    kind: 'unavailable',
    retry: false,
    template: 'the registry does not answer: {reason}',
  },
  registry_refused: {
    kind: 'forbidden',
    retry: false,
    template: 'the registry at {endpoint} refuses this member: {reason}',
  },
  registry_conflict: {
    kind: 'invalid',
    retry: false,
    template:
      "'{name}' is at revision {found} and not at {expected}: somebody else changed it; look at it again and decide anew",
  },
  registry_emptied: {
    kind: 'unavailable',
    retry: false,
    template:
      'the registry has lost what it held ({reason}) and takes no changes until somebody decides: `skein registry restore` or `skein registry accept`',
  },
  registry_not_emptied: {
    kind: 'invalid',
    retry: false,
    template: 'the registry has lost nothing: there is nothing to decide',
  },
  model_not_here: {
    kind: 'unavailable',
    retry: true,
    template: "backend '{backend}' has no '{path}' in its model directories ({directories})",
  },
  catalogue_fixed: {
    kind: 'unsupported',
    retry: false,
    template: 'POST {what} needs a fleet: start routers and backends with --registry',
  },
  page_refused: {
    kind: 'forbidden',
    retry: false,
    template: 'changes of the fleet are not taken from the web page at {origin}; --cors-origin names one that may',
  },
  model_not_found: {
    kind: 'not_found',
    retry: false,
    template: "no backend has a model at '{path}' in its model directories: {reason}",
  },
  member_taken: {
    kind: 'invalid',
    retry: false,
    template: "another {role} with the name '{id}' is alive at {where}; give this one another name with --id",
  },
  // --- fetching files of models
  source_not_allowed: {
    kind: 'forbidden',
    retry: false,
    template: '{url} is not in a place that models may be fetched from (setting source-allow)',
  },
  source_address: {
    kind: 'forbidden',
    retry: false,
    template: "'{host}' leads to {address}, an address that models may not be fetched from (setting source-addresses)",
  },
  source_not_found: { kind: 'not_found', retry: false, template: '{url} is not there: {reason}' },
  source_refused: { kind: 'forbidden', retry: false, template: '{url} is refused: {reason}' },
  source_unreachable: { kind: 'unavailable', retry: true, template: '{url} cannot be read: {reason}' },
  source_truncated: {
    kind: 'unavailable',
    retry: true,
    template: '{url} ended after {got} of {wanted} bytes, again and again',
  },
  source_malformed: { kind: 'invalid', retry: false, template: '{url} cannot be used: {reason}' },
  digest_mismatch: {
    kind: 'invalid',
    retry: false,
    template:
      '{url} has SHA-256 {got}, the catalogue says {wanted}: register the model again if it was meant to change',
  },
  source_cache_full: {
    kind: 'unavailable',
    retry: true,
    template:
      'a file of {bytes} bytes does not fit beside what is in use, {limit} bytes are kept at most (setting source-cache)',
  },
  source_disk: { kind: 'unavailable', retry: true, template: "the disk does not take a model's file: {reason}" },
  sources_off: {
    kind: 'forbidden',
    retry: true,
    template: "model '{model}' is to be fetched, and this backend fetches nothing (setting source-allow)",
  },
  // --- external servers; what one of them says is passed on in its own words
  backend_address: {
    kind: 'invalid',
    retry: false,
    template: "backend '{backend}' cannot be at '{address}'; expected {expected}",
  },
  backend_cannot: {
    kind: 'unsupported',
    retry: false,
    template: "backend '{backend}' cannot {verb}: {reason}",
  },
  reply_malformed: {
    kind: 'unavailable',
    retry: true,
    template: "backend '{backend}' gave an answer that cannot be used: {reason}",
  },
  reply_cut: {
    kind: 'unavailable',
    retry: false,
    template: "the answer of backend '{backend}' broke off after {bytes} bytes: {reason}",
  },
  foreign_invalid: { kind: 'invalid', retry: false, template: '{text}' },
  foreign_missing: { kind: 'not_found', retry: false, template: '{text}' },
  foreign_forbidden: { kind: 'forbidden', retry: false, template: '{text}' },
  foreign_unsupported: { kind: 'unsupported', retry: false, template: '{text}' },
  foreign_unavailable: { kind: 'unavailable', retry: true, template: '{text}' },
  foreign_failed: { kind: 'internal', retry: false, template: '{text}' },
  internal: { kind: 'internal', retry: false, template: 'a defect in Skein: {reason}; please report it' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
export type ErrorFacts = Readonly<Record<string, string | number>>;

export class SkeinError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(fillTemplate(errorTable[code].template, facts), options);
    this.name = 'SkeinError';
    this.code = code;
    this.facts = facts;
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  /** Policy asks the error; it never compares codes or messages. */
  get mayRetry(): boolean {
    return errorTable[this.code].retry;
  }

  /** The one funnel from a foreign fault: what is ours stays, everything else is a defect with its cause kept. */
  static from(fault: unknown): SkeinError {
    if (fault instanceof SkeinError) return fault;
    const reason = fault instanceof Error ? fault.message : String(fault);
    return new SkeinError('internal', { reason }, { cause: fault });
  }
}

function fillTemplate(template: string, facts: ErrorFacts): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? `{${name}}`));
}
