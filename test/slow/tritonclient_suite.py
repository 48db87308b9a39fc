"""Triton's Python client against a running server: python3 tritonclient_suite.py HOST:PORT REPOSITORY

Prints one line of JSON for each test, {"test", "failure"}: failure is null or a traceback. The server serves the models
that tritonclient.slow.ts writes.
"""

import asyncio
import json
import sys
import time
import traceback

import ml_dtypes
import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

URL, REPOSITORY = sys.argv[1:]
ROW = np.arange(16, dtype=np.int32).reshape(1, 16)
ONES = np.ones((1, 16), np.int32)


def tensor(name, values, binary=True):
    made = http.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def add_sub_inputs(a=ROW, b=ONES, binary=True):
    return [tensor("INPUT0", a, binary), tensor("INPUT1", b, binary)]


def check_add_sub(result, a=ROW, b=ONES):
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), a + b)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), a - b)


def refused(call, status, *words):
    try:
        call()
    except InferenceServerException as fault:
        assert fault.status() == str(status), f"status {fault.status()}, expected {status}: {fault.message()}"
        for word in words:
            assert word in fault.message(), f"{word!r} is not in {fault.message()!r}"
        return
    raise AssertionError("the request was not refused")


def eventually(value, expected):
    """What the server tells of itself may lag behind its answers a little, but must come out so."""
    for _ in range(100):
        if value() == expected:
            return
        time.sleep(0.05)
    raise AssertionError(f"it stays at {value()}, expected {expected}")


def states(client):
    return {(entry["name"], entry.get("version")): entry.get("state") for entry in client.get_model_repository_index()}


# ------------------------------------------------------------------ health and metadata


def test_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()


def test_model_ready(client):
    client.load_model("simple")
    assert client.is_model_ready("simple")
    assert client.is_model_ready("simple", "1")
    assert not client.is_model_ready("nope")
    assert not client.is_model_ready("simple", "9")


def test_server_metadata(client):
    metadata = client.get_server_metadata()
    assert metadata["name"] and metadata["version"]
    for extension in ("binary_tensor_data", "model_repository", "statistics", "model_configuration"):
        assert extension in metadata["extensions"], metadata


def test_model_metadata(client):
    metadata = client.get_model_metadata("simple")
    assert metadata["name"] == "simple" and metadata["versions"] == ["1"]
    assert metadata["inputs"][1] == {"name": "INPUT1", "datatype": "INT32", "shape": [-1, 16]}
    assert [output["name"] for output in metadata["outputs"]] == ["OUTPUT0", "OUTPUT1"]
    assert client.get_model_metadata("multi_version")["versions"] == ["1", "3"]
    assert client.get_model_metadata("multi_version", "3")["versions"] == ["3"]


def test_model_config(client):
    config = client.get_model_config("simple")
    assert config["max_batch_size"] == 8
    assert config["input"][0]["data_type"] == "TYPE_INT32" and config["input"][0]["dims"] == [16]


# ------------------------------------------------------------------ infer


def test_binary_infer(client):
    check_add_sub(client.infer("simple", add_sub_inputs()))


def test_json_infer(client):
    outputs = [http.InferRequestedOutput(name, binary_data=False) for name in ("OUTPUT0", "OUTPUT1")]
    check_add_sub(client.infer("simple", add_sub_inputs(binary=False), outputs=outputs))


def test_mixed_infer(client):
    inputs = [tensor("INPUT0", ROW, True), tensor("INPUT1", ONES, False)]
    outputs = [http.InferRequestedOutput("OUTPUT0", binary_data=False), http.InferRequestedOutput("OUTPUT1")]
    check_add_sub(client.infer("simple", inputs, outputs=outputs))


def test_batch_id_version_and_parameters(client):
    batch = np.arange(128, dtype=np.int32).reshape(8, 16)
    result = client.infer(
        "simple",
        add_sub_inputs(batch, batch),
        model_version="1",
        request_id="request-7",
        query_params={"q": 1},
        headers={"x-h": "v"},
        parameters={"note": "hello", "number": 3},
    )
    check_add_sub(result, batch, batch)
    assert result.get_response()["id"] == "request-7"
    assert result.get_response()["model_version"] == "1"


def test_one_of_two_outputs(client):
    result = client.infer("simple", add_sub_inputs(), outputs=[http.InferRequestedOutput("OUTPUT1")])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), ROW - ONES)
    assert result.as_numpy("OUTPUT0") is None


def test_both_versions_answer(client):
    for asked, answered in (("1", "1"), ("3", "3"), ("", "3")):
        result = client.infer("multi_version", add_sub_inputs(), model_version=asked)
        assert result.get_response()["model_version"] == answered


DATATYPES = {
    "bool": np.array([True, False, True]),
    "uint8": np.array([0, 1, 255], np.uint8),
    "uint16": np.array([0, 1, 2**16 - 1], np.uint16),
    "uint32": np.array([0, 1, 2**32 - 1], np.uint32),
    "uint64": np.array([0, 2**53 + 1, 2**64 - 1], np.uint64),
    "int8": np.array([-128, 0, 127], np.int8),
    "int16": np.array([-(2**15), 0, 2**15 - 1], np.int16),
    "int32": np.array([-(2**31), 0, 2**31 - 1], np.int32),
    "int64": np.array([-(2**63), 2**53 + 1, 2**63 - 1], np.int64),
    "float16": np.array([-0.0, 1.5, np.inf, np.nan], np.float16),
    "float": np.array([-0.0, 1e-45, np.inf, -np.inf, np.nan], np.float32),
    "double": np.array([-0.0, 5e-324, np.inf, np.nan], np.float64),
}


def test_every_datatype_as_binary(client):
    for name, values in DATATYPES.items():
        result = client.infer(f"id_{name}", [tensor("INPUT0", values)])
        got = result.as_numpy("OUTPUT0")
        assert got.dtype == values.dtype and got.tobytes() == values.tobytes(), f"{name}: {got} is not {values}"


def test_every_datatype_as_json(client):
    output = [http.InferRequestedOutput("OUTPUT0", binary_data=False)]
    for name, values in DATATYPES.items():
        if name == "float16":  # JSON has no form for half floats
            continue
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        result = client.infer(f"id_{name}", [tensor("INPUT0", values, binary=False)], outputs=output)
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values, err_msg=name)


def test_bfloat16(client):
    values = np.array([1.5, -2.0, np.inf, 0.0078125], ml_dtypes.bfloat16)
    result = client.infer("id_bfloat16", [tensor("INPUT0", values)])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0").astype(np.float32), values.astype(np.float32))


STRINGS = np.array([[b"plain", b"", b"a\x00b", b"\x00", b"\xff\xfe\x00", "café €".encode(), b"x" * 70_000]], np.object_)


def test_bytes_with_nul_bytes(client):
    result = client.infer("simple_identity", [tensor("INPUT0", STRINGS)])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), STRINGS)


def test_bytes_as_json(client):
    values = np.array([["plain", "", "café € 😀", 'quoted "\\/\n\t', "a\x00b"]], np.object_)
    output = [http.InferRequestedOutput("OUTPUT0", binary_data=False)]
    result = client.infer("simple_identity", [tensor("INPUT0", values, binary=False)], outputs=output)
    assert [s if isinstance(s, str) else s.decode() for s in result.as_numpy("OUTPUT0")[0]] == list(values[0])


def test_scalar_and_no_elements(client):
    scalar = client.infer("scalar", [tensor("INPUT0", np.array(7, np.float32))]).as_numpy("OUTPUT0")
    assert scalar.shape == () and scalar == 7
    nothing = client.infer("id_int64", [tensor("INPUT0", np.zeros(0, np.int64))]).as_numpy("OUTPUT0")
    assert nothing.shape == (0,) and nothing.dtype == np.int64


def test_classification(client):
    scores = np.zeros((1, 16), np.float32)
    scores[0, [3, 12]] = [2.5, 7]
    output = [http.InferRequestedOutput("OUTPUT0", class_count=2)]
    result = client.infer("labels", [tensor("INPUT0", scores)], outputs=output)
    assert list(result.as_numpy("OUTPUT0")[0]) == [b"7.000000:12", b"2.500000:3:label3"], result.as_numpy("OUTPUT0")


def test_large_tensor(client):
    values = np.arange(4_000_000, dtype=np.int64)  # 32 MB
    np.testing.assert_array_equal(client.infer("id_int64", [tensor("INPUT0", values)]).as_numpy("OUTPUT0"), values)


# ------------------------------------------------------------------ compression


def test_compressed_requests_and_responses(client):
    for algorithm in ("gzip", "deflate"):
        for binary in (True, False):
            inputs = add_sub_inputs(binary=binary)
            outputs = [http.InferRequestedOutput(name, binary_data=binary) for name in ("OUTPUT0", "OUTPUT1")]
            for request, response in ((algorithm, None), (None, algorithm), (algorithm, algorithm)):
                result = client.infer(
                    "simple",
                    inputs,
                    outputs=outputs,
                    request_compression_algorithm=request,
                    response_compression_algorithm=response,
                )
                check_add_sub(result)


# ------------------------------------------------------------------ many at once


def test_async_infer(client):
    with http.InferenceServerClient(URL, concurrency=8) as many:
        pending = [(i, many.async_infer("simple", add_sub_inputs(ROW * i, ONES))) for i in range(64)]
        for i, request in pending:
            check_add_sub(request.get_result(), ROW * i, ONES)


def test_asyncio_client(client):
    async def all_at_once():
        async with aio.InferenceServerClient(URL) as many:
            assert await many.is_server_ready()
            calls = [many.infer("simple", add_sub_inputs(ROW * i, ONES)) for i in range(32)]
            for i, result in enumerate(await asyncio.gather(*calls)):
                check_add_sub(result, ROW * i, ONES)

    asyncio.run(all_at_once())


# ------------------------------------------------------------------ repository


def test_load_and_unload(client):
    client.load_model("auto_id_fp32")
    assert client.is_model_ready("auto_id_fp32")
    assert states(client)[("auto_id_fp32", "1")] == "READY"
    client.unload_model("auto_id_fp32")
    eventually(lambda: states(client)[("auto_id_fp32", "1")], "UNAVAILABLE")
    assert not client.is_model_ready("auto_id_fp32")


def test_index_lists_every_version(client):
    client.load_model("multi_version")
    found = states(client)
    assert found[("multi_version", "1")] == found[("multi_version", "3")] == "READY"
    assert any(name == "bad_model" for name, _ in found)


def test_load_with_a_configuration(client):
    client.load_model("auto_id_fp32", config=json.dumps({"backend": "onnxruntime", "max_batch_size": 2}))
    assert client.get_model_config("auto_id_fp32")["max_batch_size"] == 2
    three = np.zeros((3, 16), np.float32)
    refused(lambda: client.infer("auto_id_fp32", [tensor("INPUT0", three)]), 400, "batch-size must be <= 2")
    client.unload_model("auto_id_fp32")


def test_load_of_what_cannot_be_loaded(client):
    refused(lambda: client.load_model("bad_model"), 400, "bad_model")
    try:
        client.load_model("nope")
    except InferenceServerException as fault:
        assert "nope" in fault.message()
    else:
        raise AssertionError("a model that does not exist was loaded")


def test_load_with_files(client):
    with open(f"{REPOSITORY}/auto_id_fp32/1/model.onnx", "rb") as file:
        model = file.read()
    config = json.dumps({"backend": "onnxruntime", "max_batch_size": 3})
    client.load_model("uploaded", config=config, files={"file:1/model.onnx": model})
    values = np.full((3, 16), 0.5, np.float32)
    np.testing.assert_array_equal(client.infer("uploaded", [tensor("INPUT0", values)]).as_numpy("OUTPUT0"), values)
    client.unload_model("uploaded", unload_dependents=True)
    assert not client.is_model_ready("uploaded")
    refused(lambda: client.load_model("uploaded", files={"file:1/model.onnx": model}), 400, "'config'")


# ------------------------------------------------------------------ statistics


def test_statistics_count_what_was_answered(client):
    def counts():
        [stats] = client.get_inference_statistics("simple", "1")["model_stats"]
        return stats["inference_count"], stats["inference_stats"]["success"]["count"], stats["execution_count"]

    client.infer("simple", add_sub_inputs())
    time.sleep(0.5)
    inferences, successes, executions = counts()
    batch = np.zeros((4, 16), np.int32)
    client.infer("simple", add_sub_inputs(batch, batch))
    eventually(counts, (inferences + 4, successes + 1, executions + 1))  # four rows, one request, one run


def test_statistics_of_all_models(client):
    client.infer("simple", add_sub_inputs())
    stats = client.get_inference_statistics()["model_stats"]
    assert any(entry["name"] == "simple" for entry in stats)


# ------------------------------------------------------------------ what is refused


def test_what_triton_has_and_skein_does_not(client):
    assert client.get_system_shared_memory_status() == []
    assert client.get_cuda_shared_memory_status() == []
    refused(lambda: client.register_system_shared_memory("region", "/key", 64), 501, "send tensors in the body")
    shared = http.InferInput("INPUT0", [1, 16], "INT32")
    shared.set_shared_memory("region", 64)
    refused(lambda: client.infer("simple", [shared, tensor("INPUT1", ONES)]), 501, "send tensors in the body")
    refused(client.get_trace_settings, 501, "--otlp-endpoint")
    refused(lambda: client.update_trace_settings("simple", {"trace_rate": "1"}), 501, "--otlp-endpoint")
    refused(client.get_log_settings, 501, "--log-level")
    refused(lambda: client.update_log_settings({"log_verbose_level": 1}), 501, "--log-level")


def test_hints_of_the_scheduler(client):
    result = client.infer("simple", add_sub_inputs(), priority=1, timeout=5_000_000, sequence_id=7, sequence_start=True)
    check_add_sub(result)


def test_refusals_of_asynchronous_requests(client):
    pending = [client.async_infer(model, add_sub_inputs()) for model in ("simple", "nope", "simple")]
    check_add_sub(pending[0].get_result())
    refused(pending[1].get_result, 404, "'nope'")
    check_add_sub(pending[2].get_result())


def test_refusals(client):
    good = add_sub_inputs()
    refused(lambda: client.infer("nope", good), 404, "unknown model", "'nope'")
    refused(lambda: client.infer("simple", good, model_version="9"), 404, "version 9")
    refused(lambda: client.infer("simple", good[:1]), 400, "missing required input(s) ['INPUT1']")
    refused(lambda: client.infer("simple", add_sub_inputs(ROW.astype(np.float32))), 400, "data-type is 'FP32'")
    refused(lambda: client.infer("simple", add_sub_inputs(ROW[:, :8], ONES[:, :8])), 400, "unexpected shape")
    nine = np.zeros((9, 16), np.int32)
    refused(lambda: client.infer("simple", add_sub_inputs(nine, nine)), 400, "batch-size must be <= 8")
    unknown = [http.InferRequestedOutput("OUTPUT9")]
    refused(lambda: client.infer("simple", good, outputs=unknown), 400, "OUTPUT9")
    refused(lambda: client.infer("simple", good, request_id="r7", model_version="9"), 404, "version 9")
    refused(lambda: client.get_model_metadata("nope"), 404, "'nope'")
    refused(lambda: client.get_model_config("nope"), 404, "'nope'")
    check_add_sub(client.infer("simple", good))


def main():
    failed = 0
    for name, test in [(name, value) for name, value in globals().items() if name.startswith("test_")]:
        failure = None
        try:
            with http.InferenceServerClient(URL, network_timeout=60, connection_timeout=60) as client:
                test(client)
        except Exception:
            failure = traceback.format_exc()
            failed += 1
        print(json.dumps({"test": name.removeprefix("test_").replace("_", " "), "failure": failure}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
