"""Bring images to the size and the channels of others, and say what that changes."""

import numpy as np

from common.images import resize_images

_LUMA = np.array([19595, 38470, 7471], np.uint32)  # of ITU-R BT.601 in 16 bits, as Pillow has them
_NEARLY_EQUAL = 8  # grey levels between the channels that the noise of a GAN or of JPEG makes of grey


def match_images(images: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return uint8 [N, H, W, C] as [N, *image_shape].

    Grey images get equal channels, coloured ones become grey by their luma (ITU-R BT.601), and others are resized by
    a filter that looks at all pixels, the middle of them where the proportions differ.
    """
    height, width, channels = image_shape
    if images.shape[-1] == 3 and channels == 1:
        images = _to_grey(images)
    return repeat_grey(resize_images(images, height, width), channels)


def repeat_grey(images: np.ndarray, channels: int) -> np.ndarray:
    """Return grey images [..., H, W, 1] with so many equal channels; others as they are."""
    return np.broadcast_to(images, (*images.shape[:-1], channels)) if images.shape[-1] == 1 else images


def _to_grey(images: np.ndarray) -> np.ndarray:
    """Return the luma [N, H, W, 1] of RGB images: what has equal channels stays as it is."""
    return ((images @ _LUMA + 2**15) >> 16).astype(np.uint8)[..., np.newaxis]


def compute_colour(images: np.ndarray) -> float:
    """Compute the mean difference, in grey levels, of the channels of each pixel of images uint8 [N, H, W, C]."""
    return float(np.ptp(images, axis=-1).mean())


def describe_channels(colour: float, channels: int) -> str | None:
    """Return what is to be known of images that are brought to so many channels; None where nothing is.

    colour: of compute_colour.
    """
    if channels == 3:
        return None if colour else "the images are grey, and are read as RGB with three equal channels"
    if colour > _NEARLY_EQUAL:
        return (
            f"the images are in colour (their channels differ by {colour:.0f} grey levels) and the real ones are grey: "
            "they are made grey (luma), and their colours are not compared"
        )
    return "the images have three channels that are nearly equal, and are read as grey (luma)" if colour else None


def describe_sizes(sizes: set[tuple[int, int]], size: tuple[int, int]) -> str | None:
    """Return what is to be known of images of these sizes (height, width) that are resized to one; None for no other.

    A picture that lies on its side counts as one that stands.
    """
    others = sorted(found for found in sizes if found not in (size, size[::-1]))
    if not others:
        return None
    shown = ", ".join(f"{height} x {width}" for height, width in others[:3]) + ", ..." * (len(others) > 3)
    is_cut = any(height * size[1] != width * size[0] for height, width in others)
    cut = ", and cut to their proportions" * is_cut
    return (
        f"images of {shown} are resized to the {size[0]} x {size[1]} of the real ones{cut}: resizing blurs or sharpens"
        ", which changes distances by itself"
    )
