"""GANs that are trained in other processes, each as a whole: files there and back, and this process alone writes."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import RunError
from common.executors import Executor
from common.files import read_files, write_files
from common.run_folder import RunFolder, read_generators_last
from models.description import list_pairs
from models.recipes import Recipe
from real.datasets import Dataset
from tasks.study_lab import fit_study_gan


@dataclass(frozen=True)
class GANOrder:
    """A GAN to train into a run's folder, with the arguments of tasks.study_lab.fit_study_gan.

    key: what it is known by. is_begun: whether what is in the folder, if anything, is of this training.
    """

    key: Any
    folder: Path
    dataset: Dataset
    recipe: Recipe
    seed: int
    max_minutes: float | None = None
    filter: str = "none"
    is_begun: bool = True


def is_trained(folder: Path, recipe: Recipe, dataset: Dataset) -> bool:
    """Tell whether all networks of a GAN in a run's folder are there."""
    model = RunFolder(folder).model
    return all(model.pair(pair).has_pair for _, _, pair in list_pairs(recipe, dataset.class_names))


@dataclass(frozen=True)
class MadeGAN:
    """What a worker has made of an order: the files in model/, the last of which tells that the others are there.

    key: of the order. gone: files that an unfinished training had left, and that are not needed now. error: why it
    failed; without files then.
    """

    key: Any
    files: dict[str, bytes]
    gone: set[str]
    error: RunError | None

    def save(self, folder: Path) -> None:
        """Write the files into the folder of a run."""
        model = RunFolder(folder).model.path
        write_files(model, self.files)
        for name in self.gone:
            path = model / name
            path.unlink(missing_ok=True)
            with suppress(OSError):  # more is in it
                path.parent.rmdir()


def fit_elsewhere(orders: Iterable[GANOrder], executor: Executor, report: Callable[[str], object]) -> Iterator[MadeGAN]:
    """Train the GANs by workers, and yield each as it is finished, for this process to save.

    A training that was begun in an order's folder is continued. One whose worker, or this process, dies begins there
    again.
    """
    sent = ((order, read_files(RunFolder(order.folder).model.path) if order.is_begun else {}) for order in orders)
    for made, lines in executor.map(_build_nothing, _fit, sent):
        for line in lines:
            report(line)
        yield made


def _build_nothing() -> None:
    """Build nothing: an order brings all that it needs."""


def _fit(state: None, sent: tuple[GANOrder, dict[str, bytes]]) -> tuple[MadeGAN, list[str]]:
    """Train a GAN in a folder of this process; return what was made, and notes."""
    order, before = sent
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = RunFolder(folder).model.path
        write_files(model, before)
        options: dict[str, Any] = {"max_minutes": order.max_minutes, "quiet": True, "report": lines.append}
        try:
            fit_study_gan(order.dataset, order.recipe, folder, filter=order.filter, seed=order.seed, **options)
        except RunError as error:
            return MadeGAN(order.key, {}, set(), error), lines
        made = read_generators_last(model)
    return MadeGAN(order.key, made, before.keys() - made.keys(), None), lines
