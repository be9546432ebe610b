"""Folders that hold folders: wrappers of a set, parts inside the classes, and variants of one set."""

from dataclasses import replace

from real.pictures.folder_tree import Folder, count_pictures, list_some
from real.split_names import find_split, fold_class, is_filler

_BESIDE = 4  # times as many pictures are in a set as in what lies beside it, as plots/ or samples/


def step_in(folder: Folder) -> Folder:
    """Return the folder that a folder wraps: its only one, where that holds folders, or has the name of a part; or the
    only one with folders, where it can't be a class.

    Pictures beside it, as of a cover, do not matter where it holds several folders, and more than they are.
    """
    while wrapped := _list_wrapped(folder):
        inner = wrapped[0]
        if folder.pictures and (len(inner.filled) < 2 or len(folder.pictures) > inner.count):
            break
        if inner.pictures and inner.name != folder.name and not find_split(inner.name)[1]:
            break
        folder = inner
    return folder


def _list_wrapped(folder: Folder) -> list[Folder]:
    """Return the folder that a folder may wrap, or none."""
    if len(folder.filled) == 1:
        return [*folder.filled]
    deep = [inner for inner in folder.filled if len(inner.filled) > 1]
    if len(deep) != 1 or find_split(deep[0].name)[0]:
        return []
    beside = [inner for inner in folder.filled if inner not in deep and not find_split(inner.name)[0]]
    is_larger = deep[0].count >= _BESIDE * sum(inner.count for inner in beside)
    may_wrap = holds_parts(deep[0]) or (is_filler(deep[0].name) and is_larger)
    return deep if may_wrap and all(inner.is_flat for inner in folder.filled if inner not in deep) else []


def holds_parts(folder: Folder) -> bool:
    """Whether a folder holds parts with class folders in them."""
    parts = [inner for inner in folder.filled if find_split(inner.name)[1]]
    return len(parts) > 1 and any(len(inner.filled) > 1 for inner in parts)


def is_flat_inside(folder: Folder) -> bool:
    """Whether all pictures lie in one folder: the folder, or the only one in it, or in that."""
    while len(folder.filled) == 1 and not folder.pictures:
        folder = folder.filled[0]
    return folder.is_flat


def drop_copies(top: Folder, notes: list[str], part: str | None = None) -> Folder:
    """Return the folder without the sub-folders that hold those beside them once more, as Kaggle's archives often do.

    notes: list that this is said in. part: that the folder is, whose name a copy may have.
    """
    copies = [child for child in top.filled if find_split(child.name)[0] in (None, part) and _is_copy(child, top)]
    if copies:
        notes.append(f"not read, as it holds the same folders as lie beside it: {list_some([c.name for c in copies])}")
    return replace(top, folders=tuple(child for child in top.folders if child not in copies))


def _is_copy(child: Folder, top: Folder) -> bool:
    """Whether a sub-folder holds all of those beside it and no others, or most, with mostly pictures of their names."""
    beside = {fold_class(other.name): other for other in top.filled if other is not child}
    inside = {fold_class(inner.name): inner for inner in step_in(child).filled}
    if len(inside) < 2 or not inside.keys() <= beside.keys() or 2 * len(inside) < len(beside):
        return False
    if len(inside) == len(beside):
        return True
    known = {(name, path.name) for name in inside for path in beside[name].list_pictures()}
    held = [(name, path.name) in known for name, inner in inside.items() for path in inner.list_pictures()]
    return 2 * sum(held) >= len(held)


def turn_inside_out(top: Folder, notes: list[str]) -> Folder:
    """Return the folder with the parts outside and the classes inside, where most class folders hold the parts.

    Pictures that lie in the class folders themselves are of the train part. notes: list that this is said in.
    """
    classes = top.filled
    inside = {child.name: {inner.name: inner for inner in child.filled} for child in classes}
    names = list(dict.fromkeys(name for inner in inside.values() for name in inner))
    parts = [find_split(name) for name in names]
    if len(classes) < 2 or 2 * sum(map(bool, inside.values())) < len(classes):
        return top
    if not all(is_all for _, is_all in parts) or ("train", True) not in parts or len(parts) < 2:
        return top
    notes.append(f"the parts, {list_some(names)}, are read from inside the class folders")
    loose = sum(len(child.pictures) for child in classes)
    if loose:
        notes.append(f"{count_pictures(loose)} in the class folders themselves: of the train part")
    turned = []
    for name in names:
        takes_loose = name == names[parts.index(("train", True))]
        own = []
        for child in classes:
            held = inside[child.name].get(name, Folder(child.path))
            own.append(replace(held, path=child.path, pictures=held.pictures + child.pictures * takes_loose))
        own = [child for child in own if child.count]
        turned.append(Folder(top.path / name, folders=tuple(own)))
    return replace(top, folders=tuple(turned))


def list_variants(folder: Folder) -> list[str]:
    """Return the classes that all sub-folders hold, as color/ and grayscale/ do; [] where these are classes."""
    children = folder.filled
    inside = [step_in(child) for child in children]
    names = [{inner.name for inner in child.filled} for child in inside]
    if len(children) < 2 or any(child.pictures for child in inside) or min(map(len, names)) < 2:
        return []
    common = set.intersection(*names)
    return sorted(common) if 2 * len(common) >= len(set.union(*names)) else []
