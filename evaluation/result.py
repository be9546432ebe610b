"""What an evaluation finds: the content of evaluation.json."""

from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.memorisation import MemorisationSummary
from evaluation.scores import Scores
from evaluation.sides import Leaks

# Images of a class on each side from which on a lack of variety is said. It shows in a recall below a tenth of the
# floor's, and 0 of 35 real images is the first share whose 95 % interval (Wilson) ends below a tenth.
MIN_JUDGED = 35
# Not in evaluation.json where they are None; what else is not known is null there.
_LEFT_OUT = ("sizes", "frechet_of_sizes", "frechet_infinity", "cross_check", "memorisation")
_LEFT_OUT += ("memorisation_in_features", "likelihood_divergence", "pretrained_features")


@dataclass(frozen=True)
class ClassScores:
    """One class of a run or of the floor: the images that were compared, their scores and the features' variances.

    real_images: that they were compared with. memorisation: None of the floor.
    """

    compared: int
    real_images: int
    scores: Scores
    spread: float
    real_spread: float
    memorisation: MemorisationSummary | None = None

    @property
    def can_judge(self) -> bool:
        """Whether there are enough images to say that they lack variety."""
        return min(self.compared, self.real_images) >= MIN_JUDGED


@dataclass(frozen=True, kw_only=True)
class SampleScores:
    """One set of images against the real ones: the floor, or what is common to all runs.

    classes: {class name: its scores}. sizes, frechet_of_sizes: numbers of images and the Frechet distances of so many,
    extrapolated to frechet_infinity; None where it was not asked for, or there are too few images.
    """

    scores: Scores
    classes: dict[str, ClassScores]
    sizes: list[int] | None = None
    frechet_of_sizes: list[float] | None = None
    frechet_infinity: float | None = None


@dataclass(frozen=True)
class Opinions:
    """The same distance, computed by us and by TF-GAN."""

    ours: float
    tfgan: float


@dataclass(frozen=True, kw_only=True)
class RunScores(SampleScores):
    """The synthetic images of one run against the real ones.

    images: all that were read. collapsed: names of the classes without variety. frechet_all: distance of all images;
    None where their classes have other proportions. memorisation_in_features: of views of the images, in the features.
    likelihood_divergence: of evaluation.likelihood; the floor's is 0. cross_check: {measure: Opinions}, where it was
    asked for. pretrained_features: the network of other pictures that the run's GAN saw images through.
    """

    images: int
    memorisation: MemorisationSummary
    collapsed: list[str]
    frechet_all: float | None
    memorisation_in_features: MemorisationSummary | None = None
    likelihood_divergence: float | None = None
    cross_check: dict[str, Opinions] | None = None
    pretrained_features: str | None = None


@dataclass(frozen=True)
class FeatureSpace:
    """What the images were compared by: the extractor's name, the hash of its weights, and the dimensions."""

    name: str
    hash: str
    dimensions: int


@dataclass(frozen=True)
class RealSide:
    """The real images that were compared with: how many of which part of the data, "test" or "validation"."""

    split: str
    images: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A comparison of runs with real images.

    settings: what was asked for, as text. failed: {recipe: why it has no run}. notes: on the runs. versions: of the
    packages. data, fingerprint: name and hash of the data set. searched: training images among which the nearest was
    looked for in features. compare: recipes that were trained for this. compared,
    compared_classes: images of each run and of the floor, in all and {class name: count}. without_classes: why all
    images are compared together, as one class; None where there are classes. warnings, verdicts:
    sentences on what the numbers can't say, and on what they say.
    """

    settings: dict[str, Any]
    failed: dict[str, str]
    leaks: Leaks
    notes: list[str]
    versions: dict[str, str | None]
    data: str
    fingerprint: str
    features: FeatureSpace
    real: RealSide
    compare: list[str]
    searched: int
    compared: int
    compared_classes: dict[str, int]
    without_classes: str | None
    floor: SampleScores
    runs: dict[str, RunScores]
    warnings: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Return the content of evaluation.json."""
        return asdict(self, dict_factory=_leave_out)


def _leave_out(items: list[tuple[str, Any]]) -> dict:
    """Make a dict of a dataclass's fields, without those that were not measured."""
    return {name: value for name, value in items if value is not None or name not in _LEFT_OUT}
