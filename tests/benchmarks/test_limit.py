import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.limit import join, list_products, measure_seconds


def test_the_products_of_a_step_are_counted_as_by_hand():
    network = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(5, 3, strides=2, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(7),
        ]
    )

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(network(images) ** 2)
        return tape.gradient(loss, [images, *network.trainable_variables])

    products = list_products(step.get_concrete_function(tf.TensorSpec((2, 8, 8, 3), tf.float32)).graph)
    counted = {}
    for product, times in products.items():
        counted.setdefault(product.kind, []).extend([product.count_operations()] * times)
    convolution, dense = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3), 2 * 2 * 80 * 7
    assert counted == {
        "Conv2D": [convolution],
        "Conv2DBackpropInput": [convolution],
        "Conv2DBackpropFilter": [convolution],
        "MatMul": [dense] * 3,
    }
    results = join(products)()
    assert len(results) == 6
    assert all(np.isfinite(result) for result in results)


def test_a_call_is_timed(monkeypatch):
    clock = iter(np.arange(0, 1000, 0.5))
    monkeypatch.setattr("benchmarks.limit.time.perf_counter", lambda: next(clock))
    assert measure_seconds(lambda: next(clock)) == pytest.approx(1.0)
