"""python3 classify.py [PICTURE.png ...]: the same as classify.ts, through Triton's own client.

Needs `pip install "tritonclient[http]" pillow`. SKEIN_URL names another server, as host:port.
"""

import math
import os
import pathlib
import sys

import numpy as np
import tritonclient.http as client
from PIL import Image

HEIGHT, WIDTH = 48, 192
here = pathlib.Path(__file__).parent
pictures = sys.argv[1:] or [here / "upright.png", here / "upside-down.png"]
server = client.InferenceServerClient(os.environ.get("SKEIN_URL", "127.0.0.1:8000").removeprefix("http://"))

for picture in pictures:
    image = Image.open(picture).convert("RGB")
    width = min(WIDTH, math.ceil(HEIGHT * image.width / image.height))
    pixels = np.asarray(image.resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    x = np.zeros((1, 3, HEIGHT, WIDTH), np.float32)  # what is right of the text stays 0
    x[0, :, :, :width] = pixels[:, :, ::-1].transpose(2, 0, 1) / 127.5 - 1  # blue, green, red from 0..255 to -1..1

    tensor = client.InferInput("x", x.shape, "FP32")
    tensor.set_data_from_numpy(x)
    upright, upside_down = server.infer("ocr-direction", [tensor]).as_numpy("softmax_0.tmp_0")[0]
    verdict = "upright" if upright > upside_down else "upside down"
    print(f"{picture}: {verdict} ({100 * max(upright, upside_down):.2f} %)")
