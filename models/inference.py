"""Images from a generator, in blocks of one fixed size."""

import keras
import numpy as np
import tensorflow as tf

from common.images import to_uint8
from synth.sampling import BLOCK_SIZE


class Sampler:
    """Callable (latents [n, L], class indices [n]) -> uint8 [n, H, W, C], for one generator.

    Every forward pass has `block_size` rows (the last one is padded): the arithmetic, and so each pixel, does not
    depend on how many images are asked for.
    """

    def __init__(self, generator: keras.Model, block_size: int = BLOCK_SIZE) -> None:
        self.generator = generator
        self.block_size = block_size
        self.latent_dim = generator.inputs[0].shape[-1]
        self._conditional = len(generator.inputs) == 2
        self._forward = tf.function(lambda inputs: generator(inputs, training=False), jit_compile=False)

    def __call__(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        images = []
        for start in range(0, len(latents), self.block_size):
            block = latents[start : start + self.block_size]
            padding = self.block_size - len(block)
            inputs = [tf.constant(np.pad(block, ((0, padding), (0, 0))))]
            if self._conditional:
                inputs.append(tf.constant(np.pad(labels[start : start + self.block_size], (0, padding)), tf.int32))
            images.append(to_uint8(self._forward(inputs))[: len(block)])
        return np.concatenate(images)
