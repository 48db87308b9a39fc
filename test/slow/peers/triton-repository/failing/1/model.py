"""Answers every request with the same error."""
import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        error = triton.TritonError("this model always fails")
        return [triton.InferenceResponse([], error=error) for _ in requests]
