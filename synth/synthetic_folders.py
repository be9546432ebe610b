"""Read a folder of synthetic pictures, whose classes are found by their names among those of the real data."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.folder_names import class_folders
from real.image_matching import repeat_grey
from real.labelled_images import LabelledImages
from real.pictures.folder_layout import find_layout
from real.pictures.folder_tree import scan_folder
from real.pictures.picture_files import Reading
from real.pictures.picture_folders import read_image_folder
from real.pictures.picture_sets import read_pictures
from real.split_names import fold_class


@dataclass(frozen=True)
class KnownClasses:
    """The real data's classes by what a folder of them may be called: {name: label value}.

    exact: the class's name, else the folder that a run of ours gives it, else its label value. folded: what differs
    from these by case or Unicode form alone, where that leaves no doubt. skip: names of others that are left out.
    """

    exact: dict[str, int]
    folded: dict[str, int]
    skip: Collection[int | str] = ()

    def find_value(self, name: str) -> int | None:
        """Return the label value of a folder's name; None for other classes."""
        return self.exact.get(name, self.folded.get(fold_class(name)))

    def check_names(self, names: Iterable[str], source: Path) -> None:
        """Raise RequestError where a source has classes that are neither known nor in `skip`, or two that are one."""
        unknown = [name for name in names if self.find_value(name) is None and name not in self.skip]
        if unknown:
            raise RequestError(
                f"{source}: classes should be called as the real data's ({', '.join(list(self.exact)[:10])}, ...) or "
                f"by their label values. Got {', '.join(unknown[:5])} instead."
            )
        by_value: dict[int, str] = {}
        for name in [name for name in names if name in self.exact]:
            other = by_value.setdefault(self.exact[name], name)
            if other != name:
                raise RequestError(
                    f"{source}: classes should all be called by the real data's names, or all by their label values. "
                    f"Got {other} and {name}, which are the same class, once by its name and once by its value."
                )

    def is_told_by_name(self, found: LabelledImages) -> bool:
        """Whether names say what a file's labels mean: they are texts, or one of the names is known."""
        names = (found.class_names or {}).values()
        return found.text_labels or any(self.find_value(name) is not None for name in names)

    def select(self, found: LabelledImages, source: Path) -> LabelledImages:
        """Return the images of known classes, with label values; RequestError as of check_names."""
        names = found.class_names or {}
        self.check_names(names.values(), source)
        values = {label: self.find_value(name) for label, name in names.items()}
        keep = np.isin(found.labels, [label for label, value in values.items() if value is not None])
        labels = np.array([values[label] for label in found.labels[keep].tolist()], np.int64)
        return LabelledImages(found.images[keep], labels)


def index_names(
    class_names: Sequence[str], label_values: Sequence[int], skip: Collection[int | str] = ()
) -> KnownClasses:
    """Return the KnownClasses of the real data."""
    values = {str(value): value for value in label_values}
    names = dict(zip(class_names, label_values, strict=False))
    folders = class_folders(class_names)
    exact = names | values | {folders[name]: value for name, value in names.items()} | names
    folded: dict[str, set[int]] = {}
    for name, value in exact.items():
        folded.setdefault(fold_class(name), set()).add(value)
    return KnownClasses(exact, {name: found.pop() for name, found in folded.items() if len(found) == 1}, skip)


def lacks_classes(folder: Path, known: KnownClasses | None = None) -> bool:
    """Whether the pictures of a folder lie side by side, and neither a table nor the beginnings of their names give
    classes, or any that is `known`."""
    tree = scan_folder(folder)
    if tree.filled or tree.tables:
        return False
    try:
        names = find_layout(folder).class_names
    except RequestError:
        return True
    return known is not None and all(known.find_value(name) is None for name in names)


def read_flat_folder(folder: Path, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return the pictures of a folder without classes, uint8 [N, H, W, 1 or 3], in the size of `image_shape`."""
    return read_pictures(scan_folder(folder).list_pictures(), Reading(image_shape[:2]), folder).images


def read_synthetic_folder(folder: Path, image_shape: tuple[int, int, int], known: KnownClasses) -> LabelledImages:
    """Return the pictures of the `known` classes, with label values; RequestError as of KnownClasses.check_names.

    They are brought to the height and width of `image_shape`, and grey ones to its channels.
    """
    found = known.select(read_image_folder(folder, Reading(image_shape[:2])), folder)
    return replace(found, images=repeat_grey(found.images, image_shape[2]))
