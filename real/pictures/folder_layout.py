"""Find out how a folder of pictures is laid out: where its parts are, and which pictures are of which class."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.errors import RequestError
from common.folder_names import fold_name
from real.kaggle_files import is_form
from real.pictures.beside_pictures import describe_lack, describe_rest, list_label_files, list_naming_tables
from real.pictures.folder_masks import drop_masks
from real.pictures.folder_nesting import (
    drop_copies,
    holds_parts,
    is_flat_inside,
    list_variants,
    step_in,
    turn_inside_out,
)
from real.pictures.folder_tree import Folder, count_pictures, list_places, list_some, scan_folder
from real.pictures.listed_parts import find_listed_parts
from real.pictures.name_tables import Names
from real.pictures.picture_tables import FOLDERS, Classes, Found, classes_by_prefix, read_classes, read_other_classes
from real.pictures.table_labels import has_label_column
from real.split_names import PARTS, find_split, find_splits, fold_class, is_filler, share_stem

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass
class Layout:
    """The classes of each part that a folder has, "train" at least, and a line each on what the user should know.

    Class names are those of the train part, in the order of their text. is_table: whether a CSV gave them.
    label_column: as of find_layout. said_parts: the part of each picture that a CSV said.
    """

    parts: dict[str, Classes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_table: bool = False
    label_column: str | None = None
    said_parts: dict[Path, str] = field(default_factory=dict)

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


def find_layout(path: str | Path, label_column: str | None = None) -> Layout:
    """Return the Layout of a folder: one sub-folder per class, parts with these in each, or pictures and a CSV.

    Folders that hold a single folder of folders are stepped into. label_column: of the CSV that has the labels;
    "folders" for the names of folders. Raises RequestError for what can be read in two ways, or in none.
    """
    layout = Layout(label_column=label_column)
    masks: list[str] = []
    root = drop_masks(scan_folder(os.path.abspath(path)), masks)
    if masks:
        layout.notes.append(f"not read, as they belong to the images beside them: {list_some(masks)}")
    top = step_in(root)
    if find_split(top.name)[0] in PARTS[1:] and top is not root:
        layout.notes.append(f"{top.name} is read as the whole set: there are no pictures of a train part beside it")
    _note_rest(root, top, layout)
    folders = _find_parts(turn_inside_out(drop_copies(top, layout.notes), layout.notes), layout)
    for part, folder in folders.items():
        elsewhere = [path for other in folders.values() if other is not folder for path in other.list_pictures()]
        stepped = step_in(folder)
        _note_rest(folder, stepped, layout)
        inner = drop_copies(stepped, layout.notes, part)
        found = _find_classes(inner, root, layout, part, elsewhere)
        if found is not None:
            layout.parts[part] = found
            if len(folders) == 1 and not layout.said_parts:
                _read_listed_parts(inner, root, layout)
        elif part == "train":
            raise RequestError(describe_lack(inner, root))
        else:
            left = f"{count_pictures(inner.count)} without labels left out"
            layout.notes.append(f"{folder.name}: {left} (predict.py --test-csv predicts them)")
    if layout.said_parts:
        _divide(layout)
    for part in PARTS[1:]:
        if part in layout.parts:
            _match_classes(part, layout)
    layout.notes += describe_rest(root, folders.values(), is_table=layout.is_table)
    if len(layout.parts["train"]) == 1:
        layout.notes.append(f"there is one class alone, {layout.class_names[0]!r}")
    return layout


def _find_parts(top: Folder, layout: Layout) -> dict[str, Folder]:
    """Return {part: its folder}; the whole is the train part where there are none."""
    splits = find_splits([folder.name for folder in top.filled])
    named = {part: [folder for folder in top.filled if splits[folder.name] == part] for part in PARTS}
    others = [folder for folder in top.filled if splits[folder.name] is None]
    if not named["train"]:
        return _find_parts_among_classes(top, named, others, layout)
    if not _are_parts(named, others):
        return {"train": top}
    found: dict[str, Folder] = {}
    for part, folders in named.items():
        exact = [folder for folder in folders if find_split(folder.name)[1]]
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
        names = [f"{folder.name} ({count_pictures(folder.count)})" for folder in others]
        names += [count_pictures(len(top.pictures))] * bool(top.pictures)
        parts = ", ".join(folder.name for folder in found.values())
        layout.notes.append(f"the parts of the set are {parts}. Not read: {list_some(names)}")
    return found


def _find_parts_among_classes(
    top: Folder, named: dict[str, list[Folder]], others: list[Folder], layout: Layout
) -> dict[str, Folder]:
    """Return the parts where test/ or val/ lies among the class folders of the train part, or beside the only folder of
    these, as far as that is clear."""
    if len(others) == 1 and len(others[0].filled) > 1 and not others[0].pictures and not top.pictures:
        return {"train": others[0]} | {part: folders[0] for part, folders in named.items() if len(folders) == 1}
    classes = {fold_name(folder.name) for folder in others}
    found = {}
    for part, folders in named.items():
        inner = [{fold_name(child.name) for child in step_in(folder).filled} for folder in folders]
        if len(folders) == 1 and len(classes) > 1 and inner[0] and inner[0] <= classes:
            found[part] = folders[0]
    flat = [folder.name for folders in named.values() for folder in folders if folder.is_flat]
    if others and flat:
        layout.notes.append(f"{list_some(flat)}: read as a class, as it holds no class folders")
    rest = tuple(folder for folder in top.folders if folder not in found.values())
    return {"train": replace(top, folders=rest) if found else top} | found


def _are_parts(named: dict[str, list[Folder]], others: list[Folder]) -> bool:
    """Whether folders with a part's name are parts, and not classes as "train" is among vehicles."""
    several = sum(map(bool, named.values())) > 1
    if any(not folder.is_flat for folder in named["train"]):
        return several or len(others) <= 1
    exact = [any(find_split(folder.name)[1] for folder in folders) for folders in named.values()]
    return several and (not others or sum(exact) > 1)


def _find_classes(folder: Folder, root: Folder, layout: Layout, part: str, elsewhere: Sequence[Path]) -> Classes | None:
    """Return the classes of a part; None where nothing says them. elsewhere: the pictures of the others."""
    children, loose = folder.filled, len(folder.pictures)
    if children and loose > folder.count - loose:  # they are the set, if anything says their classes
        found_loose = _find_classes(replace(folder, folders=()), root, layout, part, elsewhere)
        if found_loose is not None:
            left = f"{count_pictures(folder.count - loose)} in {list_some([child.name for child in children])}"
            layout.notes.append(f"{left}, beside more with labels, not read")
            return found_loose
    names = [child.name for child in children]
    is_cut = not folder.pictures and all(map(is_flat_inside, children))  # or flat, without children
    are_pieces = (len(names) > 1 and share_stem(names)) or all(map(is_filler, names))
    variants = list_variants(folder)
    by_folder = {child.name: child.list_pictures() for child in children}
    may_be_classes = not ((is_cut and (are_pieces or len(names) == 1)) or not children or variants)
    found = _ask_tables(folder, root, layout, part, elsewhere, by_folder if may_be_classes else {})
    if found is None and not may_be_classes and are_pieces:  # or flat
        found = classes_by_prefix(folder.list_pictures())
    if found:
        layout.notes += found.notes
        layout.said_parts |= found.parts
        return found.classes
    if not may_be_classes:
        is_said = len(names) > 1 or part != "train" or elsewhere or any(list_label_files(folder, root))
        if not children or (are_pieces and is_said):
            return None
    if variants:
        raise RequestError(
            f"{folder.path}: should hold one sub-folder per class. {list_some(names)} all hold the same folders, "
            f"{list_some(variants)}: name one of them, as --data {children[0].path}. Where they are people or series, "
            "put a CSV with the columns file, label and person beside them; --groups person keeps each on one side."
        )
    nested = [child for child in children if not is_flat_inside(child)]
    if are_pieces and nested:
        raise RequestError(
            f"{folder.path}: should hold one sub-folder per class. Got {list_some(names)}, with folders in them that "
            f"may be the classes: name one, as --data {nested[0].path}."
        )
    if folder.pictures:
        left = count_pictures(len(folder.pictures))
        layout.notes.append(f"{left} beside the class folders of {folder.name} not read")
    sets = [inner.path for inner in map(step_in, children) if holds_parts(inner)]
    if sets:
        names = [child.name for child in children]
        raise RequestError(
            f"{folder.path}: should hold one set. {list_some(names)}: parts are inside of "
            f"{list_some([str(path.relative_to(folder.path)) for path in sets])}: name one set, as --data {sets[0]}."
        )
    if nested:
        deep = list_some([child.name for child in nested])
        layout.notes.append(f"all that lies in the sub-folders of {deep} is read as that class")
    return by_folder


def _ask_tables(
    folder: Folder, root: Folder, layout: Layout, part: str, elsewhere: Sequence[Path], by_folder: Classes
) -> Found | None:
    """Return the classes that a CSV says; None where none does, or where the names of folders, `by_folder`, count."""
    if layout.label_column == FOLDERS:
        return None
    paths = list_naming_tables(folder, root)
    may_contradict = by_folder and layout.label_column is None
    if may_contradict:  # all parts as train; by one in the set, and not of a class alone
        places = list_places(folder, root)
        is_asked = part == "train" or layout.is_table
        paths = [path for path in paths if is_asked and path.parent in places and has_label_column(path)]
        if not paths:
            return None
    names = Names(part, folder.list_pictures(), elsewhere)
    tables = {path: _find_table_part(path, folder, names) for path in paths}
    if may_contradict:
        found = read_other_classes(names, tables, by_folder)
        if found:
            found.notes.append(f"{list_some([*by_folder])} are no classes then (--label-column {FOLDERS}: they are)")
    else:
        found = read_classes(names, tables, layout.label_column)
        if layout.label_column and found is None and part == "train":
            asked = ", ".join(path.name for path in tables) or "there is none"
            raise RequestError(
                f"--label-column should be a column of a CSV that names the pictures of {root.path}, or {FOLDERS}. "
                f"Got {layout.label_column!r:.60}, which no such CSV has ({asked:.80})."
            )
    layout.is_table |= found is not None and part == "train"
    return found


def _find_table_part(table: Path, folder: Folder, names: Names) -> str | None:
    """Return the part that a CSV is for: that of the folder that it lies in, or of its own name; None for any."""
    is_inside = names.has_others and table.is_relative_to(folder.path)
    return names.part if is_inside else find_split(table.stem)[0]


def _note_rest(outer: Folder, inner: Folder, layout: Layout) -> None:
    """Note the pictures that lie beside a folder that was stepped into."""
    beside = outer.count - inner.count
    if beside:
        layout.notes.append(f"{count_pictures(beside)} beside {inner.name} not read")


def _read_listed_parts(folder: Folder, root: Folder, layout: Layout) -> None:
    """Read the parts of a set in one place that tables say, if any do."""
    tables = {path: find_split(path.stem)[0] for path in list_naming_tables(folder, root) if not is_form(path.name)}
    if not tables:
        return
    names = Names("train", folder.list_pictures())
    parts, said = find_listed_parts(names, tables)
    classes = layout.parts["train"]
    without = [name for name, paths in classes.items() if all(parts.get(path, "train") != "train" for path in paths)]
    if without:
        layout.notes.append(f"the parts are not those of {said}, with no train pictures of {list_some(without)}")
    elif said:
        layout.said_parts = parts
        left = sum(path not in parts for paths in classes.values() for path in paths)
        rest = f"; {count_pictures(left)} that it does not name: of the train part" if left else ""
        layout.notes.append(f"the parts are those of {said}{rest}")


def _divide(layout: Layout) -> None:
    """Divide what was read as one part into those that a CSV says."""
    whole = layout.parts["train"]
    for part in PARTS:
        chosen = {
            name: [path for path in paths if layout.said_parts.get(path, "train") == part]
            for name, paths in whole.items()
        }
        if any(chosen.values()):
            layout.parts[part] = {name: paths for name, paths in chosen.items() if paths}


def _match_classes(part: str, layout: Layout) -> None:
    """Give the classes of a part the names that they have in the train part, whatever their case."""
    known = layout.class_names
    folded = {fold_class(name): name for name in known}
    matched: Classes = {}
    foreign: Counter[str] = Counter()
    for name, pictures in layout.parts[part].items():
        match = name if name in known else folded.get(fold_class(name))
        if match is None:
            foreign[name] += len(pictures)
        else:
            matched[match] = sorted([*matched.get(match, []), *pictures])
    if foreign:
        left = f"{part}: {count_pictures(foreign.total())} of classes that are not in train left out"
        layout.notes.append(f"{left}: {list_some([*foreign])}")
    missing = [name for name in known if name not in matched]
    if matched and missing:
        layout.notes.append(f"{part}: has no pictures of {list_some(missing)}")
    if matched:
        layout.parts[part] = matched
    else:
        del layout.parts[part]
