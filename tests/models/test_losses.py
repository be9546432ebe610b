import numpy as np
import pytest
import tensorflow as tf

from models import losses
from models.losses import build_loss
from models.recipes import Recipe
from models.tfgan import import_tfgan


def has_tfgan():
    try:
        import_tfgan()
    except ImportError:
        return False
    return True


REAL = tf.constant([2.0, -0.5, 0.3])


FAKE = tf.constant([-1.5, 0.4, 1.2])


CHOICES = next(field for field in Recipe.__dataclass_fields__.values() if field.name == "loss").metadata["choices"]


needs_tfgan = pytest.mark.skipif(not has_tfgan(), reason="TF-GAN can't be imported here")


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("hinge", (0 + 1.5 + 0.7) / 3 + (0 + 1.4 + 2.2) / 3, -(-1.5 + 0.4 + 1.2) / 3),
        (
            "non-saturating",
            -np.mean(np.log(sigmoid(REAL))) - np.mean(np.log(1 - sigmoid(FAKE))),
            -np.mean(np.log(sigmoid(FAKE))),
        ),
        (
            "relativistic-pairing",
            -np.mean(np.log(sigmoid(REAL - FAKE))),
            -np.mean(np.log(sigmoid(FAKE - REAL))),
        ),
    ],
)
def test_native_losses_by_their_formulas(name, discriminator, generator):
    loss = build_loss(name)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(discriminator, rel=1e-5)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(generator, rel=1e-5)


@needs_tfgan
@pytest.mark.parametrize(
    ("name", "tfgan_name", "options"),
    [("hinge", "wasserstein_hinge", {}), ("non-saturating", "modified", {"label_smoothing": 0.0})],
)
def test_native_losses_agree_with_tfgans(name, tfgan_name, options):
    losses = import_tfgan().losses.wargs
    loss = build_loss(name)
    theirs = getattr(losses, f"{tfgan_name}_discriminator_loss")(REAL, FAKE, **options)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(float(theirs), rel=1e-6)
    theirs = getattr(losses, f"{tfgan_name}_generator_loss")(FAKE)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(float(theirs), rel=1e-6)


@needs_tfgan
@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("wasserstein", float(np.mean(FAKE) - np.mean(REAL)), -float(np.mean(FAKE))),
        (
            "least-squares",
            0.5 * float(np.mean((REAL - 1) ** 2) + np.mean(FAKE**2)),
            0.5 * float(np.mean((FAKE - 1) ** 2)),
        ),
    ],
)
def test_tfgans_losses_by_their_formulas(name, discriminator, generator):
    loss = build_loss(name)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(discriminator, rel=1e-5)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(generator, rel=1e-5)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_tfgan if name in losses._FROM_TFGAN else ()) for name in CHOICES]
)
def test_every_loss_of_the_recipes_rewards_the_right_side(name):
    loss = build_loss(name)
    low, high = tf.constant([-1.0, -2.0]), tf.constant([1.0, 2.0])
    assert float(loss.discriminator(high, low)) < float(loss.discriminator(low, high))
    assert float(loss.generator(low, high)) < float(loss.generator(high, low))
