"""Masks, as of a segmentation, that lie beside the pictures that they are of: they are left out."""

import re
from dataclasses import replace
from pathlib import Path

from real.pictures.folder_tree import Folder, count_pictures
from real.split_names import is_filler

_MASKS = {"masks", "mask", "annotations", "annotation", "segmentations", "labels", "groundtruth", "ground_truth"}
_PERHAPS_MASKS = {"label", "segmentation", "gt", "ground truth"}  # where each picture is called as one beside
_MASK_WORDS = "masks?|seg|segmentation|gt|ground_?truth|anno|annotation|labels?|label_?ids|superpixels"
_MASK = re.compile(rf"(.+?)[ _.-]*({_MASK_WORDS})([ _.-]*\d+)?|masks?[ _.-]+(.+)", re.IGNORECASE)


def drop_masks(folder: Folder, dropped: list[str]) -> Folder:
    """Return the folder without masks, in folders beside images/ or beside the pictures that they are of, at any depth.

    dropped: list that they are described in.
    """
    folders, pictures = folder.folders, folder.pictures
    called_so = {path: match[1] or match[4] for path in pictures if (match := _MASK.fullmatch(path.stem))}
    stems = {path.stem for path in pictures}
    own = {path for path, stem in called_so.items() if stem in stems}
    if own:
        pictures = tuple(path for path in pictures if path not in own)
        dropped.append(f"{count_pictures(len(own))} as {folder.name}/{min(own).name}")
    masks = [inner for inner in folder.filled if inner.name.casefold() in _MASKS]
    if masks and not any(is_filler(inner.name) for inner in folder.filled):
        masks = [inner for inner in masks if _are_called_as(inner, stems)]
    beside = stems | {path.stem for inner in folder.filled if is_filler(inner.name) for path in inner.list_pictures()}
    perhaps = [inner for inner in folder.filled if inner.name.casefold() in _PERHAPS_MASKS]
    masks += [inner for inner in perhaps if _are_called_as(inner, beside)]
    if masks:
        folders = tuple(inner for inner in folders if inner not in masks)
        dropped += [f"{folder.name}/{inner.name}" for inner in masks]
    return replace(folder, pictures=pictures, folders=tuple(drop_masks(inner, dropped) for inner in folders))


def _are_called_as(folder: Folder, stems: set[str]) -> bool:
    """Whether all pictures of a folder are called as masks of pictures with these stems."""
    return all(_name_picture(path) in stems for path in folder.list_pictures())


def _name_picture(mask: Path) -> str:
    """Return the stem of the picture that a mask in a folder of masks is of."""
    match = _MASK.fullmatch(mask.stem)
    return (match[1] or match[4]) if match else mask.stem
