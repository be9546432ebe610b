"""The convolutional pair, conditional or not, for any image shape."""

from collections.abc import Callable
from functools import partial
from math import ceil

import keras
from keras import layers, ops

Wrap = Callable[[keras.Layer], keras.Layer]  # puts something around a layer
_MIN_SIZE = 7  # the image is halved while its longer side stays at least this large
_EMBEDDING_DIM = 64
_SMALL_VARIANCE = 0.01  # of what a residual block adds at first; not 0: spectral normalisation divides by it


def build_generator(
    image_shape: tuple[int, int, int],
    latent_dim: int = 64,
    class_count: int = 0,
    *,
    width: int = 32,
    noise: bool = True,
    norm: str = "modulated",
    growth: float = 2.0,
    residual_blocks: int = 0,
) -> keras.Model:
    """Build latent (+ label) -> image in [-1, 1].

    Inputs: latent float [N, latent_dim + noise_dim] and, if class_count > 0, label int [N]. Output: [N, H, W, C].
    Dense, then transposed convolutions that double the size and divide the channels by `growth`, down to `width`.
    With `residual_blocks`, so many at each size, sizes double by bilinear interpolation, which leaves no checkerboard.
    norm: "batch" (conditional batch normalisation: gain and bias per class, Dumoulin et al. 2016, arXiv:1610.07629),
    "modulated" (to these a linear map of the latent is added, the same for all pixels: self-modulation, Chen et al.
    2018, arXiv:1810.01365) or "none". With `noise`, one normal value per pixel is added to each block after a
    learnt gain per channel (Karras et al. 2018, arXiv:1812.04948, section 3.2); these values are the latent's tail.
    """
    sizes = _halved_sizes(*image_shape[:2])
    widths = _list_widths(width, growth, len(sizes))
    noise_dim = sum(rows * columns for rows, columns in sizes[:-1]) if noise else 0
    latent = keras.Input((latent_dim + noise_dim,), name="latent")
    label = keras.Input((), dtype="int32", name="label") if class_count else None
    style = latent[:, :latent_dim] if noise_dim else latent
    normalise = partial(_normalise, style=style, label=label, class_count=class_count, norm=norm)
    x = layers.Concatenate()([style, layers.Embedding(class_count, _EMBEDDING_DIM)(label)]) if class_count else style
    x = layers.ReLU()(normalise(_project(x, *sizes[-1], widths[-1])))
    x = _add_residual_blocks(x, residual_blocks, layers.ReLU, normalise=normalise)
    offset = latent_dim
    for (rows, columns), channels in reversed(list(zip(sizes[:-1], widths[:-1], strict=True))):
        x = _crop(_double(x, channels, smooth=residual_blocks > 0), rows, columns)
        x = normalise(x)
        if noise:
            x = _add_noise(x, latent[:, offset : offset + rows * columns])
            offset += rows * columns
        x = _add_residual_blocks(layers.ReLU()(x), residual_blocks, layers.ReLU, normalise=normalise)
    x = layers.Conv2D(image_shape[2], 3, padding="same")(x)
    return keras.Model(_inputs(latent, label), layers.Activation("tanh", dtype="float32")(x), name="generator")


def _double(x: keras.KerasTensor, channels: int, *, smooth: bool) -> keras.KerasTensor:
    """Double the size of x [N, H, W, C]: by a transposed convolution, or smoothly, behind one at the small size."""
    if not smooth:
        return layers.Conv2DTranspose(channels, 4, 2, "same", kernel_initializer="he_normal")(x)
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(x)
    return layers.UpSampling2D(interpolation="bilinear")(x)


def _add_residual_blocks(
    x: keras.KerasTensor,
    count: int,
    activate: Callable[[], keras.Layer],
    *,
    wrap: Wrap | None = None,
    normalise: Callable[[keras.KerasTensor], keras.KerasTensor] | None = None,
) -> keras.KerasTensor:
    """Add to x [N, H, W, C], `count` times, what three convolutions make of it, the middle one of half the channels.

    He et al. 2015, arXiv:1512.03385, figure 5; as in R3GAN (Huang et al. 2024, arXiv:2501.05441) nothing acts on x
    itself, and the last convolution begins near zero.
    """
    channels, wrap = x.shape[-1], wrap or _wrap_nothing
    inner = ceil(channels / 2)
    for _ in range(count):
        y = wrap(layers.Conv2D(inner, 1, kernel_initializer="he_normal"))(x)
        y = activate()(normalise(y) if normalise else y)
        y = activate()(wrap(layers.Conv2D(inner, 3, padding="same", kernel_initializer="he_normal"))(y))
        small = keras.initializers.VarianceScaling(_SMALL_VARIANCE)
        x = layers.Add()([x, wrap(layers.Conv2D(channels, 1, kernel_initializer=small))(y)])
    return x


def _list_widths(width: int, growth: float, count: int) -> list[int]:
    """Return the channels of `count` sizes, the largest size first."""
    return [round(width * growth**level) for level in range(count)]


def _project(x: keras.KerasTensor, rows: int, columns: int, channels: int) -> keras.KerasTensor:
    """Map vectors [N, D] on images [N, rows, columns, channels]."""
    x = layers.Dense(rows * columns * channels, kernel_initializer="he_normal")(x)
    return layers.Reshape((rows, columns, channels))(x)


def _add_noise(x: keras.KerasTensor, noise: keras.KerasTensor) -> keras.KerasTensor:
    """Add one normal value per pixel, [N, H W], to x [N, H, W, C] after a learnt gain per channel."""
    noise_map = layers.Reshape((*x.shape[1:3], 1))(noise)
    gain = keras.initializers.RandomNormal(stddev=0.1)
    return layers.Add()([x, layers.Conv2D(x.shape[-1], 1, use_bias=False, kernel_initializer=gain)(noise_map)])


def build_discriminator(
    image_shape: tuple[int, int, int],
    class_count: int = 0,
    *,
    width: int = 32,
    norm: str = "none",
    growth: float = 2.0,
    residual_blocks: int = 0,
) -> keras.Model:
    """Build image (+ label) -> logit [N].

    Inputs: image float [N, H, W, C] in [-1, 1] and, if class_count > 0, label int [N]. Strided convolutions that
    halve the size and multiply the channels by `growth`, one dense layer, and the projection of its output onto the
    class's embedding (Miyato and Koyama 2018, arXiv:1802.05637, eq. 3). With `residual_blocks`, so many at each size,
    sizes are halved by averaging. norm: "none", "spectral" (Miyato et al. 2018, arXiv:1802.05957) or "batch" (not in
    the first block; Radford et al. 2015, arXiv:1511.06434).
    """
    image = keras.Input(image_shape, name="image")
    label = keras.Input((), dtype="int32", name="label") if class_count else None
    wrap = _wrap_spectral if norm == "spectral" else _wrap_nothing
    widths = _list_widths(width, growth, len(_halved_sizes(*image_shape[:2])))  # one halving more than the generator
    x = image
    if residual_blocks:
        x = _activate()(wrap(layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal"))(x))
    for block, channels in enumerate(widths):
        x = _halve(x, channels, wrap, smooth=residual_blocks > 0, kernel=4 if block < len(widths) - 1 else 3)
        if norm == "batch" and block:
            x = layers.BatchNormalization()(x)
        x = _add_residual_blocks(_activate()(x), residual_blocks, _activate, wrap=wrap)
    x = wrap(layers.Dense(widths[-1], kernel_initializer="he_normal"))(layers.Flatten()(x))
    return keras.Model(
        _inputs(image, label), build_logit(_activate()(x), label, class_count, wrap), name="discriminator"
    )


def _activate() -> keras.Layer:
    return layers.LeakyReLU(negative_slope=0.2)


def _halve(x: keras.KerasTensor, channels: int, wrap: Wrap, *, smooth: bool, kernel: int) -> keras.KerasTensor:
    """Halve the size of x [N, H, W, C]: by a strided convolution, or smoothly, before one at the small size."""
    if not smooth:
        return wrap(layers.Conv2D(channels, kernel, 2, "same", kernel_initializer="he_normal"))(x)
    x = layers.AveragePooling2D(2, padding="same")(x)
    return wrap(layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal"))(x)


def _wrap_spectral(layer: keras.Layer) -> keras.Layer:
    """In float32: it overwrites the kernels with what it has calculated."""
    return layers.SpectralNormalization(layer, dtype="float32")


def _wrap_nothing(layer: keras.Layer) -> keras.Layer:
    return layer


def build_logit(
    x: keras.KerasTensor, label: keras.KerasTensor | None, class_count: int, wrap: Wrap = _wrap_nothing
) -> keras.KerasTensor:
    """Build the logit float32 [N] of x [N, D]: linear, plus, if class_count > 0, x times the embedding of its class.

    wrap: callable (layer) -> layer, put around each layer with weights.
    """
    logit = wrap(layers.Dense(1, dtype="float32"))(x)
    if class_count:
        width = x.shape[-1]
        scale = keras.initializers.RandomNormal(stddev=width**-0.5)
        embedding = wrap(layers.Embedding(class_count, width, embeddings_initializer=scale))
        embedding = embedding(ops.cast(label, "float32"))  # SpectralNormalization returns its input's dtype
        logit = layers.Add(dtype="float32")([logit, layers.Dot(axes=1, dtype="float32")([x, embedding])])
    return layers.Reshape((), dtype="float32")(logit)


def _halved_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return [(H, W), (H/2, W/2), ...], rounded up, down to the generator's first block: 28 x 28 ends at 7 x 7."""
    sizes = [(height, width)]
    while max(sizes[-1]) >= 2 * _MIN_SIZE:
        height, width = sizes[-1]
        sizes.append((ceil(height / 2), ceil(width / 2)))
    return sizes


def _normalise(
    x: keras.KerasTensor, style: keras.KerasTensor, label: keras.KerasTensor | None, class_count: int, norm: str
) -> keras.KerasTensor:
    if norm == "none":
        return x
    if norm == "batch" and not class_count:
        return layers.BatchNormalization(momentum=0.9)(x)
    x = layers.BatchNormalization(momentum=0.9, center=False, scale=False)(x)
    channels = x.shape[-1]
    for combine, initial in ((layers.Multiply(), "ones"), (layers.Add(), "zeros")):  # gain, bias
        terms = []
        if class_count:
            terms.append(layers.Embedding(class_count, channels, embeddings_initializer=initial)(label))
        if norm == "modulated":
            options = {"kernel_initializer": "zeros", "use_bias": not class_count, "bias_initializer": initial}
            terms.append(layers.Dense(channels, **options)(style))
        term = layers.Add()(terms) if len(terms) > 1 else terms[0]
        x = combine([x, layers.Reshape((1, 1, channels))(term)])
    return x


def _crop(x: keras.KerasTensor, rows: int, columns: int) -> keras.KerasTensor:
    surplus = (x.shape[1] - rows, x.shape[2] - columns)
    return layers.Cropping2D(((0, surplus[0]), (0, surplus[1])))(x) if any(surplus) else x


def _inputs(first: keras.KerasTensor, label: keras.KerasTensor | None) -> list[keras.KerasTensor]:
    return [first] if label is None else [first, label]
