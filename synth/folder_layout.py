"""Find out how a folder of pictures is laid out: where its parts are, and which pictures are of which class."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synth.errors import RequestError
from synth.folder_tree import Folder, list_tables, scan_folder
from synth.images import IMAGE_SUFFIXES
from synth.picture_tables import Classes, classes_by_prefix, read_classes
from synth.shards import fold_name
from synth.split_names import find_split, is_filler, share_stem

PARTS = ("train", "validation", "test")
_SHOWN = 5  # names in a note
_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass
class Layout:
    """The classes of each part that a folder has, "train" at least, and a line each on what the user should know.

    Class names are those of the train part, in the order of their text. is_table: whether a CSV gave them.
    """

    parts: dict[str, Classes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_table: bool = False

    @property
    def class_names(self) -> list[str]:
        """The classes of the train part."""
        return sorted(self.parts["train"])

    def number_classes(self) -> dict[str, int]:
        """Return {class name: label}: its position, or the integers that a CSV gives."""
        names = self.class_names
        if self.is_table and all(_INTEGER.fullmatch(name) for name in names):
            return {name: int(name) for name in sorted(names, key=int)}
        return {name: label for label, name in enumerate(names)}


def find_layout(path: str | Path) -> Layout:
    """Return the Layout of a folder: one sub-folder per class, parts with these in each, or pictures and a CSV.

    Folders that hold a single folder of folders are stepped into. Raises RequestError for what can be read in two
    ways, or in none.
    """
    top = _step_in(scan_folder(path))
    layout = Layout()
    folders = _find_parts(top, layout)
    for part, folder in folders.items():
        inner = _step_in(folder)
        found = _find_classes(inner, top, layout)
        if found is not None:
            layout.parts[part] = found
        elif part == "train":
            raise RequestError(_describe_lack(inner, top))
        else:
            layout.notes.append(f"{folder.name}: {inner.count:,} pictures without labels are left out")
    for part in PARTS[1:]:
        if part in layout.parts:
            _match_classes(part, layout)
    _note_what_is_not_read(folders, layout)
    return layout


def _step_in(folder: Folder) -> Folder:
    """Return the folder that a folder wraps: its only one, where that holds folders, or has the name of a part."""
    while not folder.pictures and len(folder.filled) == 1:
        inner = folder.filled[0]
        if inner.pictures and inner.name != folder.name and not find_split(inner.name)[1]:
            break
        folder = inner
    return folder


def _find_parts(top: Folder, layout: Layout) -> dict[str, Folder]:
    """Return {part: its folder}; the whole is the train part where there are none."""
    splits = {folder.name: find_split(folder.name) for folder in top.filled}
    named = {part: [folder for folder in top.filled if splits[folder.name][0] == part] for part in PARTS}
    others = [folder for folder in top.filled if splits[folder.name][0] is None]
    if not named["train"] or not _are_parts(named, others):
        return {"train": top}
    found: dict[str, Folder] = {}
    for part, folders in named.items():
        exact = [folder for folder in folders if splits[folder.name][1]]
        chosen = exact or folders
        if len(chosen) > 1:
            names = ", ".join(folder.name for folder in top.filled)
            raise RequestError(
                f"{top.path}: should hold one folder for the {part} part, beside one sub-folder per class or train and "
                f"test alone. Got {names}: name one of them with --data."
            )
        found |= {part: chosen[0]} if chosen else {}
        others += [folder for folder in folders if folder not in chosen]
    if others or top.pictures:
        names = [f"{folder.name} ({folder.count:,} pictures)" for folder in others]
        names += [f"{len(top.pictures):,} pictures"] * bool(top.pictures)
        parts = " and ".join(folder.name for folder in found.values())
        layout.notes.append(f"{parts} are read as the parts of the set. Not read: {_list(names)}")
    return found


def _are_parts(named: dict[str, list[Folder]], others: list[Folder]) -> bool:
    """Whether folders with a part's name are parts, and not classes as "train" is among vehicles."""
    several = sum(map(bool, named.values())) > 1
    if any(not folder.is_flat for folder in named["train"]):
        return several or len(others) <= 1
    exact = [any(find_split(folder.name)[1] for folder in folders) for folders in named.values()]
    return several and (not others or sum(exact) > 1)


def _find_classes(folder: Folder, top: Folder, layout: Layout) -> Classes | None:
    """Return the classes of a part; None where nothing says them."""
    children = folder.filled
    names = [child.name for child in children]
    is_cut = not folder.pictures and all(child.is_flat for child in children)  # or flat: there are no children
    are_pieces = (len(names) > 1 and share_stem(names)) or all(map(is_filler, names))
    if (is_cut and (are_pieces or len(names) == 1)) or not children:
        found = _label_pictures(folder, top, layout)
        if found or not children or (are_pieces and (len(names) > 1 or folder is not top)):
            return found
    _check_not_variants(folder)
    if folder.pictures:
        layout.notes.append(f"{len(folder.pictures):,} pictures beside the class folders of {folder.name} are not read")
    nested = [child.name for child in children if not child.pictures and len(child.filled) > 1]
    if nested:
        layout.notes.append(f"all that lies in the sub-folders of {_list(nested)} is read as that class")
    return {child.name: child.list_pictures() for child in children}


def _label_pictures(folder: Folder, top: Folder, layout: Layout) -> Classes | None:
    """Return the classes of pictures that lie in no class folders: by a CSV beside them, a level above or below."""
    pictures = folder.list_pictures()
    if not pictures:
        return None
    below = [path for child in folder.folders for path in child.tables]
    above = list(top.tables) if folder is not top else []
    found = read_classes(pictures, dict.fromkeys([*folder.tables, *below, *above, *list_tables(folder.path.parent)]))
    layout.is_table |= found is not None
    if found is None and folder.is_flat:
        found = classes_by_prefix(pictures)
    if found is None:
        return None
    layout.notes += found[1]
    return found[0]


def _check_not_variants(folder: Folder) -> None:
    """Raise RequestError for "classes" that all hold the same classes, as color/ and grayscale/ do."""
    children = folder.filled
    names = [{inner.name for inner in child.filled} for child in children]
    if len(children) < 2 or any(child.pictures for child in children) or min(map(len, names)) < 2:
        return
    common = set.intersection(*names)
    if 2 * len(common) >= len(set.union(*names)):
        raise RequestError(
            f"{folder.path}: should hold one sub-folder per class. {_list([child.name for child in children])} all "
            f"hold the same folders, {_list(sorted(common))}: name one of them, as --data {children[0].path}."
        )


def _match_classes(part: str, layout: Layout) -> None:
    """Give the classes of a part the names that they have in the train part, whatever their case."""
    known = layout.class_names
    folded = {fold_name(name): name for name in known}
    matched: Classes = {}
    foreign: Counter[str] = Counter()
    for name, pictures in layout.parts[part].items():
        match = name if name in known else folded.get(fold_name(name))
        if match is None:
            foreign[name] += len(pictures)
        else:
            matched[match] = sorted([*matched.get(match, []), *pictures])
    if foreign:
        layout.notes.append(
            f"{part}: {foreign.total():,} pictures are left out, as their classes are not in train: {_list([*foreign])}"
        )
    missing = [name for name in known if name not in matched]
    if matched and missing:
        layout.notes.append(f"{part}: has no pictures of {_list(missing)}")
    if matched:
        layout.parts[part] = matched
    else:
        del layout.parts[part]


def _note_what_is_not_read(folders: dict[str, Folder], layout: Layout) -> None:
    """Note other kinds of files, empty class folders, runs, and a single class."""
    others: Counter[str] = Counter()
    for folder in folders.values():
        others.update(folder.count_others())
    if others:
        kinds = [f"{count:,} {suffix or 'without suffix'}" for suffix, count in others.most_common()]
        layout.notes.append(f"files of other kinds are not read: {_list(kinds)}")
    empty = [inner.name for folder in folders.values() for inner in _step_in(folder).folders if not inner.count]
    if empty:
        layout.notes.append(f"folders without pictures are left out: {_list(empty)}")
    runs = sum(inner.run_count for folder in folders.values() for inner in folder.walk())
    if runs:
        layout.notes.append(f"{runs} folder{'s' * (runs > 1)} with a config.json left out: the results of a run")
    if len(layout.parts["train"]) == 1:
        layout.notes.append(f"there is one class alone, {layout.class_names[0]!r}")


def _describe_lack(folder: Folder, top: Folder) -> str:
    expected = f"{top.path}: should hold one sub-folder per class with images"
    if not folder.count:
        return f"{expected} ({', '.join(IMAGE_SUFFIXES)}). Got none."
    return (
        f"{expected}, or a CSV of the pictures' names and labels beside them, or names as cat.1.jpg, dog.1.jpg. "
        f"Got {folder.count:,} pictures in {folder.path} and nothing that says their classes."
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
