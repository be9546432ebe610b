"""Give the classes of a part that comes from elsewhere the labels that they have in the data that it belongs to."""

from dataclasses import replace

import numpy as np

from common.errors import RequestError
from real.image_matching import repeat_grey
from real.labelled_images import LabelledImages

_SHOWN = 10  # classes in a line


def match_part(part: LabelledImages, source: LabelledImages, name: str) -> LabelledImages:
    """Return `part`, of the file or folder `name`, with the labels of `source` and as many channels.

    Classes are those of the same name, and a class without a name is called by its label; where the part's have no
    names, and not all of its labels are names in the source, those of the same label, which its notes say. RequestError
    where a class is not in the source, and where the images have another shape.
    """
    images = repeat_grey(part.images, source.images.shape[-1])
    if images.shape[1:] != source.images.shape[1:]:
        raise RequestError(
            f"{name}: test images should have the shape of the others, {source.images.shape[1:]}. "
            f"Got {images.shape[1:]} instead (--image-size resizes both)."
        )
    labels, notes = _match_labels(part, source, name)
    return replace(part, images=images, labels=labels, class_names=source.class_names, notes=(*part.notes, *notes))


def _match_labels(part: LabelledImages, source: LabelledImages, name: str) -> tuple[np.ndarray, list[str]]:
    """Return the labels of `part` in the source's numbers, and a line where they are taken as they are."""
    known = {(source.class_names or {}).get(value, str(value)): value for value in np.unique(source.labels).tolist()}
    values = np.unique(part.labels).tolist()
    names = {value: (part.class_names or {}).get(value, str(value)) for value in values}
    unknown = [text for text in names.values() if text not in known]
    if unknown and part.class_names is None and set(values) <= set(known.values()):
        meanings = [f"{value} is {text}" for text, value in known.items()]
        return part.labels, [
            f"{name}: labels are numbers: {', '.join(meanings[:_SHOWN])}" + ", ..." * (len(meanings) > _SHOWN)
        ]
    if unknown:
        raise RequestError(
            f"{name}: the test images should be of classes that the other images have: "
            f"{', '.join(list(known)[:10])[:100]}. Got {unknown[0]!r:.60}."
        )
    places = np.searchsorted(values, part.labels)
    return np.array([known[names[value]] for value in values], np.int64)[places], []
