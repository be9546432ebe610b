"""How near training and drawing come to what this machine can calculate.

    python -m benchmarks.limit --recipe quick

Counts the multiplications and additions of the convolutions and matrix products in one step, and times (a) the step,
(b) the same products without all else, on random tensors of their shapes and types, and (c) one large matrix product of
that type, which is the machine's rate. Printed are the rates and the shares of (b) and (c) that the step reaches.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from math import prod

import numpy as np
import tensorflow as tf

from common.command_line import Parser
from models.building import build_gan
from models.classifier import build_classifier
from models.recipes import RECIPES

_CONVOLUTIONS = ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
_PRODUCTS = ("MatMul", "BatchMatMulV2")
_ROUNDS = 5
_LARGE = 2048  # side of the matrices that the machine's rate is measured with


@dataclass(frozen=True)
class Product:
    """A convolution or a matrix product. shapes, dtypes: of its inputs, but those that are shapes themselves.

    output: its shape. attributes: (name, value) pairs of TensorFlow's operation.
    """

    kind: str
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[tf.DType, ...]
    output: tuple[int, ...]
    attributes: tuple[tuple[str, object], ...]

    def count_operations(self) -> int:
        """Return the multiplications and additions."""
        if self.kind == "Conv2D":
            height, width, channels, _ = self.shapes[1]
            return 2 * prod(self.output) * height * width * channels
        if self.kind == "Conv2DBackpropInput":  # as many as the convolution whose gradient it is
            height, width, channels, _ = self.shapes[0]
            return 2 * prod(self.shapes[1]) * height * width * channels
        if self.kind == "Conv2DBackpropFilter":
            height, width, channels, _ = self.output
            return 2 * prod(self.shapes[1]) * height * width * channels
        inner = self.shapes[0][-2 if dict(self.attributes).get("transpose_a") else -1]
        return 2 * prod(self.output) * inner

    def draw_inputs(self, seed):
        """Return random tensors of the shapes and types."""
        generator = np.random.default_rng(seed)
        pairs = zip(self.shapes, self.dtypes, strict=True)
        return [tf.cast(generator.standard_normal(shape), dtype) for shape, dtype in pairs]

    def apply(self, first, second):
        """Do it on two tensors."""
        names = {
            "Conv2D": ("input", "filter"),
            "Conv2DBackpropInput": ("filter", "out_backprop"),
            "Conv2DBackpropFilter": ("input", "out_backprop"),
            "MatMul": ("a", "b"),
            "BatchMatMulV2": ("x", "y"),
        }[self.kind]
        sizes = {"Conv2DBackpropInput": "input_sizes", "Conv2DBackpropFilter": "filter_sizes"}
        options = dict(self.attributes) | ({sizes[self.kind]: self.output} if self.kind in sizes else {})
        return getattr(tf.raw_ops, self.kind)(**dict(zip(names, (first, second), strict=True)), **options)


def list_products(graph):
    """Return {Product: how often it is} of a tf.Graph whose shapes are known."""
    found = Counter()
    for operation in graph.get_operations():
        if operation.type not in (*_CONVOLUTIONS, *_PRODUCTS):
            continue
        inputs = [tensor for tensor in operation.inputs if tensor.dtype.is_floating]
        shapes = tuple(tuple(tensor.shape) for tensor in inputs)
        dtypes = tuple(tensor.dtype for tensor in inputs)
        output = tuple(operation.outputs[0].shape)
        found[Product(operation.type, shapes, dtypes, output, _list_attributes(operation))] += 1
    return found


def _list_attributes(operation):
    names = ("transpose_a", "transpose_b") if operation.type == "MatMul" else ("adj_x", "adj_y")
    if operation.type in _CONVOLUTIONS:
        strides = tuple(operation.get_attr("strides"))
        return (("strides", strides), ("padding", operation.get_attr("padding").decode()))
    return tuple((name, operation.get_attr(name)) for name in names)


def measure_seconds(function, seconds=0.3):
    """Return the median seconds of a call over some rounds, each of at least so many seconds."""
    function()
    start = time.perf_counter()
    function()
    calls = max(1, round(seconds / (time.perf_counter() - start)))
    rounds = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        rounds.append((time.perf_counter() - start) / calls)
    return float(np.median(rounds))


def join(products):
    """Return a tf.function that does all of {Product: how often}, each on tensors of its own, in any order."""
    drawn = [(product, product.draw_inputs(seed)) for product, times in products.items() for seed in range(times)]

    return tf.function(lambda: [tf.reshape(product.apply(*tensors), [-1])[0] for product, tensors in drawn])


def measure_machine(dtype):
    """Return the multiplications and additions per second of a large matrix product."""
    matrix = tf.cast(np.random.default_rng(0).standard_normal((_LARGE, _LARGE)), dtype)
    return 2 * _LARGE**3 / measure_seconds(tf.function(lambda: tf.matmul(matrix, matrix)))


def measure_step(function, signature):
    """Return (operations, seconds, seconds of its products alone, their type) of a function of tensors."""
    concrete = tf.function(function).get_concrete_function(*signature)
    products = list_products(concrete.graph)
    generator = np.random.default_rng(0)
    tensors = [tf.cast(generator.integers(0, 9, spec.shape), spec.dtype) for spec in signature]
    seconds = measure_seconds(lambda: concrete(*tensors))
    alone = measure_seconds(join(products))
    operations = sum(times * product.count_operations() for product, times in products.items())
    largest = max(products, key=lambda product: products[product] * product.count_operations())
    return operations, seconds, alone, largest.dtypes[0]


def measure(recipe, image_shape, class_count):
    """Return {"training" or "drawing": (operations per second, share of its products alone, share of the machine)}."""
    classifier = build_classifier(image_shape, class_count) if recipe.feature_weight else None
    gan = build_gan(recipe, image_shape, class_count, seed=0, judge=classifier)
    images = tf.TensorSpec((recipe.batch_size, *image_shape), tf.uint8)
    labels = tf.TensorSpec((recipe.batch_size,), tf.int32)
    latents = tf.TensorSpec((256, gan.latent_dim), tf.float32)
    drawn = tf.TensorSpec((256,), tf.int32)
    found = {}
    for name, function, signature in (
        ("training", lambda *data: gan.train_step(data), (images, labels)),
        ("drawing", lambda *inputs: gan.moving_average(list(inputs), training=False), (latents, drawn)),
    ):
        operations, seconds, alone, dtype = measure_step(function, signature)
        rate = operations / seconds
        found[name] = (rate, alone / seconds, rate / measure_machine(dtype))
    return found


def main(argv=None):
    """Measure, and print a line for training and one for drawing."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    conditional = [name for name, recipe in RECIPES.items() if recipe.conditional]
    parser.add_argument("--recipe", choices=conditional, default="quick")
    parser.add_argument("--shape", default="28,28,1", help="height, width, channels (default: %(default)s)")
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args(argv)
    shape = tuple(map(int, options.shape.split(",")))
    for name, (rate, alone, machine) in measure(RECIPES[options.recipe], shape, options.classes).items():
        print(f"{name}: {rate / 1e9:.1f} GFLOP/s, {alone:.0%} of its products alone, {machine:.0%} of a matrix product")


if __name__ == "__main__":
    sys.exit(main())
