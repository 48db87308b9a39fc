"""Takes as many seconds as the number that it is given, and gives it back."""
import time

import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(triton.get_input_tensor_by_name(request, "x").as_numpy()) for request in requests]

    def answer(self, seconds):
        time.sleep(float(seconds[0]))
        return triton.InferenceResponse([triton.Tensor("y", seconds)])
