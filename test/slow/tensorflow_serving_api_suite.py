"""TensorFlow Serving's Python client against a running server: python3 tensorflow_serving_api_suite.py HOST:PORT DIRECTORY

Prints one line of JSON for each test, {"test", "failure"}: failure is null or a traceback. The server serves the models
that tensorflow-serving-api.slow.ts writes; DIRECTORY is where they are.
"""

import json
import os
import sys
import time
import traceback

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import grpc  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow_serving.apis import (  # noqa: E402
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

TARGET, DIRECTORY, CONFIGS = sys.argv[1:]
CHANNEL = grpc.insecure_channel(TARGET, options=[("grpc.max_receive_message_length", -1)])
PREDICTION = prediction_service_pb2_grpc.PredictionServiceStub(CHANNEL)
MODELS = model_service_pb2_grpc.ModelServiceStub(CHANNEL)


def request(model, inputs, signature="", version=None, label=None):
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    made.model_spec.signature_name = signature
    if version is not None:
        made.model_spec.version.value = version
    if label is not None:
        made.model_spec.version_label = label
    for name, value in inputs.items():
        made.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return made


def predict(*args, **kwargs):
    return PREDICTION.Predict(request(*args, **kwargs), 30)


def refused(call, code, text):
    try:
        call()
    except grpc.RpcError as fault:
        assert fault.code() == code, f"{fault.code()}, expected {code}: {fault.details()}"
        assert text in fault.details(), f"{text!r} is not in {fault.details()!r}"
        return
    raise AssertionError("the request was not refused")


def example(**features):
    made = tf.train.Example()
    for name, values in features.items():
        if isinstance(values[0], float):
            made.features.feature[name].float_list.value.extend(values)
        elif isinstance(values[0], int):
            made.features.feature[name].int64_list.value.extend(values)
        else:
            made.features.feature[name].bytes_list.value.extend(values)
    return made


def test_half_plus_two():
    answer = predict("half_plus_two", {"x": np.array([1.0, 2.0, 5.0], np.float32)})
    assert list(answer.outputs["y"].float_val) == [2.5, 3.0, 4.5], answer
    assert answer.model_spec.name == "half_plus_two" and answer.model_spec.version.value == 123
    assert answer.model_spec.signature_name == "serving_default"


def test_more_rows_than_are_joined():
    x = np.arange(1000, dtype=np.float32)
    answer = predict("half_plus_two", {"x": x})
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["y"]), x / 2 + 2)


def test_values_one_by_one():
    made = predict_pb2.PredictRequest()
    made.model_spec.name = "half_plus_two"
    made.inputs["x"].dtype = 1
    made.inputs["x"].tensor_shape.dim.add(size=3)
    made.inputs["x"].float_val.append(4)
    assert list(PREDICTION.Predict(made, 30).outputs["y"].float_val) == [4, 4, 4]


def test_versions_and_labels():
    assert list(predict("versions", {"x": [1.0]}, version=1).outputs["y"].float_val) == [2]
    assert list(predict("versions", {"x": [1.0]}).outputs["y"].float_val) == [3]
    assert list(predict("versions", {"x": [1.0]}, label="stable").outputs["y"].float_val) == [2]
    assert list(predict("versions", {"x": [1.0]}, label="canary").outputs["y"].float_val) == [3]


DTYPES = [np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
DTYPES += [np.bool_, np.float16]


def test_every_dtype():
    names = {np.float32: "float", np.float64: "double", np.bool_: "bool"}
    for dtype in DTYPES:
        value = np.array([0, 1, 100], dtype)
        answer = predict("id_" + names.get(dtype, dtype.__name__), {"INPUT0": value})
        output = tf.make_ndarray(answer.outputs["OUTPUT0"])
        assert output.dtype == dtype, (output.dtype, dtype)
        np.testing.assert_array_equal(output, value)


def test_bfloat16():
    value = np.array([0.5, -2], ml_dtypes.bfloat16)
    output = tf.make_ndarray(predict("id_bfloat16", {"INPUT0": value}).outputs["OUTPUT0"])
    np.testing.assert_array_equal(output.astype(np.float32), value.astype(np.float32))


def test_strings():
    value = [b"a", "ü".encode(), b"\x00\xff", b""]
    answer = predict("id_string", {"INPUT0": value})
    assert list(answer.outputs["OUTPUT0"].string_val) == value, answer


def test_scalar():
    assert tf.make_ndarray(predict("scalar", {"INPUT0": np.float32(7)}).outputs["OUTPUT0"]) == 7


def test_large_tensors():
    value = np.random.default_rng(1).random(3_000_000, np.float32)
    output = tf.make_ndarray(predict("id_float", {"INPUT0": value}).outputs["OUTPUT0"])
    np.testing.assert_array_equal(output, value)


def test_compression():
    answer = PREDICTION.Predict(
        request("half_plus_two", {"x": np.zeros(10_000, np.float32)}), 30, compression=grpc.Compression.Gzip
    )
    assert len(answer.outputs["y"].float_val) == 10_000


def test_output_filter():
    made = request("scores", {"x": np.array([[0.25, 0.75]], np.float32)})
    made.output_filter.append("scores")
    assert list(PREDICTION.Predict(made, 30).outputs) == ["scores"]


def test_many_calls_at_once():
    calls = [PREDICTION.Predict.future(request("half_plus_two", {"x": [float(i)]}), 30) for i in range(500)]
    for i, call in enumerate(calls):
        assert list(call.result().outputs["y"].float_val) == [i / 2 + 2]


def test_classify():
    made = classification_pb2.ClassificationRequest()
    made.model_spec.name = "scores"
    made.input.example_list.examples.append(example(x=[0.25, 0.75]))
    made.input.example_list.examples.append(example(x=[1.0, 0.0]))
    answer = PREDICTION.Classify(made, 30)
    rows = [[(one.label, one.score) for one in row.classes] for row in answer.result.classifications]
    assert rows == [[("up", 0.25), ("down", 0.75)], [("up", 1.0), ("down", 0.0)]], rows


def test_regress():
    made = regression_pb2.RegressionRequest()
    made.model_spec.name = "half_plus_two"
    made.input.example_list_with_context.context.CopyFrom(example(x=[9.0]))
    made.input.example_list_with_context.examples.append(example(x=[1.0]))
    made.input.example_list_with_context.examples.append(tf.train.Example())
    answer = PREDICTION.Regress(made, 30)
    assert [one.value for one in answer.result.regressions] == [2.5, 6.5], answer


def test_multi_inference():
    made = inference_pb2.MultiInferenceRequest()
    task = made.tasks.add(method_name="tensorflow/serving/classify")
    task.model_spec.name = "scores"
    made.input.example_list.examples.append(example(x=[0.25, 0.75]))
    answer = PREDICTION.MultiInference(made, 30)
    assert answer.results[0].classification_result.classifications[0].classes[1].score == 0.75, answer
    again = made.tasks.add(method_name="tensorflow/serving/regress")
    again.model_spec.name = "scores"
    refused(
        lambda: PREDICTION.MultiInference(made, 30),
        grpc.StatusCode.INVALID_ARGUMENT,
        "Duplicate evaluation of signature: serving_default",
    )


def test_metadata():
    made = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    made.model_spec.name = "half_plus_two"
    answer = PREDICTION.GetModelMetadata(made, 30)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert signature.inputs["x"].dtype == 1 and signature.inputs["x"].tensor_shape.dim[0].size == -1, signature
    assert list(signature.outputs) == ["y"] and signature.method_name == "tensorflow/serving/predict"
    assert answer.model_spec.version.value == 123


def test_status():
    made = get_model_status_pb2.GetModelStatusRequest()
    made.model_spec.name = "versions"
    answer = MODELS.GetModelStatus(made, 30)
    available = get_model_status_pb2.ModelVersionStatus.State.AVAILABLE
    assert [(one.version, one.state) for one in answer.model_version_status] == [(2, available), (1, available)]
    made.model_spec.name = "broken"
    refused(lambda: predict("broken", {"x": [1.0]}), grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(broken)")
    end = get_model_status_pb2.ModelVersionStatus.State.END
    answer = MODELS.GetModelStatus(made, 30)
    assert answer.model_version_status[0].state == end and answer.model_version_status[0].status.error_message


def test_refusals():
    invalid, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    one = {"x": [1.0]}
    refused(lambda: predict("half", one), missing, "Servable not found for request: Latest(half)")
    refused(lambda: predict("half_plus_two", one, version=7), missing, "Servable not found for request: Specific(half_plus_two, 7)")
    refused(lambda: predict("versions", one, label="none"), invalid, "Unrecognized servable version label: none")
    refused(lambda: predict("", one), invalid, "ModelSpec has no name specified.")
    refused(lambda: PREDICTION.Predict(predict_pb2.PredictRequest(), 30), invalid, "Missing ModelSpec")
    refused(
        lambda: predict("half_plus_two", {}), invalid, "input size does not match signature: 0!=1 len({}) != len({x})"
    )
    refused(lambda: predict("half_plus_two", {"z": [1.0]}), invalid, "Signature input alias: x(feed name: x) not found")
    refused(lambda: predict("half_plus_two", {"x": [1]}), invalid, "data-type is 'INT32'")
    refused(
        lambda: predict("half_plus_two", one, signature="other"),
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "other" not found.',
    )


def test_deadline():
    # A run of it takes some 300 ms, less on a quick machine: the deadline is a part of what it takes here.
    one = request("slow", {"x": [[1.0]]})
    PREDICTION.Predict(one, 60)
    begun = time.monotonic()
    PREDICTION.Predict(one, 60)
    too_short = (time.monotonic() - begun) / 6
    refused(lambda: PREDICTION.Predict(one, too_short), grpc.StatusCode.DEADLINE_EXCEEDED, "")
    assert list(PREDICTION.Predict(one, 60).outputs["y"].float_val) == [1]


def test_unknown_method():
    call = CHANNEL.unary_unary("/tensorflow.serving.SessionService/SessionRun")
    refused(lambda: call(b"", timeout=30), grpc.StatusCode.UNIMPLEMENTED, "is not served here")


def test_saved_model():
    x = np.linspace(-3, 3, 100, dtype=np.float32)
    saved = predict("half_plus_two_saved", {"x": x})
    assert saved.model_spec.version.value == 123, saved.model_spec
    onnx = predict("half_plus_two", {"x": x})
    np.testing.assert_allclose(tf.make_ndarray(saved.outputs["y"]), tf.make_ndarray(onnx.outputs["y"]), atol=1e-4)


def test_session_config():
    """What the engine hands TensorFlow, read by the messages of TensorFlow itself."""
    for made in json.loads(CONFIGS):
        config = tf.compat.v1.ConfigProto.FromString(bytes.fromhex(made["config"]))
        wanted = made["devices"]
        gpu = config.gpu_options
        assert config.intra_op_parallelism_threads == wanted["intraOpThreads"], config
        assert config.inter_op_parallelism_threads == 1 and config.allow_soft_placement, config
        assert gpu.visible_device_list == wanted["visibleGpus"], config
        assert gpu.allow_growth == (wanted["gpuGrowth"] and wanted["gpuMemoryBytes"] == 0), config
        limits = [limit for virtual in gpu.experimental.virtual_devices for limit in virtual.memory_limit_mb]
        assert limits == ([wanted["gpuMemoryBytes"] / 2**20] if wanted["gpuMemoryBytes"] else []), config
        assert config == tf.compat.v1.ConfigProto.FromString(config.SerializeToString()), config
    options = tf.compat.v1.RunOptions.FromString(bytes.fromhex(json.loads(CONFIGS)[0]["run"]))
    assert options.inter_op_thread_pool == -1 and options.trace_level == 0, options


def test_signatures_of_a_saved_model():
    three = predict("multi", {"x": [1.0]}, signature="add_three")
    assert list(three.outputs["y"].float_val) == [3.5] and three.model_spec.signature_name == "add_three", three
    joined = predict("multi", {"left": [b"a", b"b"], "right": [b"c", b"d"]}, signature="strings")
    assert list(joined.outputs["joined"].string_val) == [b"a c", b"b d"], joined
    made = regression_pb2.RegressionRequest()
    made.model_spec.name = "multi"
    made.model_spec.signature_name = "regress_x_to_y"
    made.input.example_list.examples.append(example(inputs=[1.0]))
    made.input.example_list.examples.append(example(inputs=[3.0]))
    assert [one.value for one in PREDICTION.Regress(made, 30).result.regressions] == [2.5, 3.5]
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "multi"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    PREDICTION.GetModelMetadata(asked, 30).metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["regress_x_to_y"].method_name == "tensorflow/serving/regress", signatures
    assert len(signatures.signature_def) == 4


def reload(*models):
    made = model_management_pb2.ReloadConfigRequest()
    for name, path, labels in models:
        config = made.config.model_config_list.config.add(name=name, base_path=path, model_platform="tensorflow")
        for label, version in labels.items():
            config.version_labels[label] = version
    return MODELS.HandleReloadConfigRequest(made, 30)


def test_zz_reload():
    versions = os.path.join(DIRECTORY, "listed", "versions")
    assert reload(("renamed", versions, {"stable": 2})).status.error_code == 0
    assert list(predict("renamed", {"x": [1.0]}, label="stable").outputs["y"].float_val) == [3]
    gone = grpc.StatusCode.NOT_FOUND
    refused(lambda: predict("versions", {"x": [1.0]}), gone, "Servable not found for request: Latest(versions)")
    refused(
        lambda: reload(("renamed", versions, {"stable": 9})),
        grpc.StatusCode.FAILED_PRECONDITION,
        "Request to assign label to version 9 of model renamed",
    )
    refused(lambda: reload(("m", "relative", {})), grpc.StatusCode.INVALID_ARGUMENT, "to have an absolute path")
    assert list(predict("renamed", {"x": [1.0]}).outputs["y"].float_val) == [3]


def main():
    grpc.channel_ready_future(CHANNEL).result(timeout=30)
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        failure = None
        started = time.time()
        try:
            test()
        except BaseException:
            failure = traceback.format_exc()
        print(json.dumps({"test": name[5:].replace("_", " "), "failure": failure, "s": time.time() - started}), flush=True)


main()
