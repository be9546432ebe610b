"""A study: cells that are run once each, with their results in a CSV that survives a kill."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import pandas as pd

from common.errors import RequestError, RunError
from common.files import replacing
from common.output_folder import list_same_sections
from common.progress import open_bar
from common.run_files import load_csv

RESULTS = "results.csv"
CURVES = "curves.csv"
_ADVICE = f"Restore it, or remove {RESULTS} and {CURVES}: the same command then runs all cells anew."
_DECIMALS = 6  # few enough that reading and writing again changes no digit


@dataclass(frozen=True)
class Cell:
    """One training and scoring: an arm at a setting, with one seed."""

    setting: str
    arm: str
    seed: int


KEYS = [field.name for field in fields(Cell)]

Measured = tuple[dict, list[dict]]  # the results of a cell, and a dict for each epoch
Outcome = tuple[Cell, Measured | RunError]  # what a cell gave, or why it failed


def run_one_by_one(run_cell: Callable[[Cell], Measured], cells: Iterable[Cell]) -> Iterator[Outcome]:
    """Yield the outcome of each cell, in their order."""
    for cell in cells:
        try:
            yield cell, run_cell(cell)
        except RunError as error:
            yield cell, error


def run_study(
    cells: list[Cell],
    folder: Path,
    run_cells: Callable[[list[Cell]], Iterator[Outcome]],
    *,
    columns: dict[str, list[str]] | None = None,
    quiet: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[Cell, RunError]]:
    """Run the cells that results.csv does not hold yet; return their results, curves (DataFrames) and failures.

    run_cells: callable (cells) -> their outcomes, in any order. A cell counts as finished once its row is in the file.
    One that fails (common.errors.RunError) does not stop the others: failures is {Cell: error}.
    columns: {RESULTS or CURVES: names of columns} that what is there already should have.
    """
    tables = {name: load_table(folder / name, (columns or {}).get(name, ())) for name in (RESULTS, CURVES)}
    finished = _finished(tables[RESULTS])
    if finished - _finished(tables[CURVES]):
        raise RequestError(f"{folder / CURVES}: should have the cells of {RESULTS}. It lacks some. {_ADVICE}")
    failed = {}
    with open_bar(quiet=quiet, total=len(cells), initial=len(finished & set(cells)), desc="cells", unit="cell") as bar:
        for cell, outcome in run_cells([cell for cell in cells if cell not in finished]):
            if isinstance(outcome, RunError):
                failed[cell] = outcome
                continue
            result, curve = outcome
            bar.set_postfix_str(f"{cell.setting}, {cell.arm}, seed {cell.seed}")
            for name, rows in ((CURVES, curve), (RESULTS, [result])):  # the row that counts comes last
                tables[name] = _append(folder / name, tables[name], cell, rows)
            bar.update()
    position = {cell: index for index, cell in enumerate(cells)}
    return *(_select(tables[name], position) for name in (RESULTS, CURVES)), failed


def raise_failures(failed: dict[Cell, RunError]) -> None:
    """Raise RunError with the cells that failed and why, if any did."""
    if not failed:
        return
    cells_of_reason: dict[str, list[str]] = {}
    for cell, error in failed.items():
        cells_of_reason.setdefault(str(error), []).append(f"{cell.setting}, {cell.arm}, seed {cell.seed}")
    reasons = " ".join(f"{'; '.join(cells)}: {reason}" for reason, cells in cells_of_reason.items())
    raise RunError(f"{len(failed)} cells failed, all others are in {RESULTS}. {reasons}")


def load_table(path: Path, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read results.csv or curves.csv; an empty DataFrame where there is none yet.

    Raises RequestError where it lacks one of `columns`, holds other than numbers, or a cell's results twice.
    """
    if not path.exists():
        return pd.DataFrame(columns=KEYS)
    try:
        table = load_csv(path, {field.name: field.type for field in fields(Cell)} | dict.fromkeys(columns))
        texts = table.drop(columns=KEYS).select_dtypes(exclude="number").columns
        if len(texts):
            raise RequestError(f"{path}: should have numbers in {texts[0]!r:.60}. Got other text.")
        twice = table[table.duplicated(KEYS)]
        if path.name == RESULTS and len(twice):
            cell = ", ".join(map(str, twice[KEYS].iloc[0]))
            raise RequestError(f"{path}: should have one row for each cell. Got two of {cell}.")
    except RequestError as error:
        raise RequestError(f"{error} {_ADVICE}") from error
    return table


def list_unfinished(cells: list[Cell], folder: Path, settings: dict) -> list[Cell]:
    """Return the cells that results.csv does not hold yet: all, where it is of a run with other settings.

    settings: as of common.output_folder.OutputFolder.
    """
    if list_same_sections(folder, settings) != set(settings):
        return cells
    finished = _finished(load_table(folder / RESULTS))
    return [cell for cell in cells if cell not in finished]


def _finished(table: pd.DataFrame) -> set[Cell]:
    return {Cell(*row) for row in table[KEYS].itertuples(index=False, name=None)}


def _append(path: Path, table: pd.DataFrame, cell: Cell, rows: list[dict]) -> pd.DataFrame:
    """Replace the rows of the cell, whatever a kill has left of it, and write the table."""
    same = (table[KEYS] == list(astuple(cell))).all(axis=1)
    new = pd.DataFrame([dict(zip(KEYS, astuple(cell), strict=True)) | row for row in rows])
    new = new.round(_DECIMALS)
    table = pd.concat([table[~same], new], ignore_index=True) if len(table) else new
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
    return table


def _select(table: pd.DataFrame, position: dict[Cell, int]) -> pd.DataFrame:
    """Return the rows of the cells in `position` {cell: index}, in its order."""
    order = [position.get(Cell(*row)) for row in table[KEYS].itertuples(index=False, name=None)]
    table = table.assign(position=order).dropna(subset="position")
    return table.sort_values("position", kind="stable").drop(columns="position")
