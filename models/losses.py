"""Adversarial losses by name: scalar functions of the discriminator's logits."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from keras import ops

from common.errors import RequestError
from models.tfgan import import_tfgan

_FROM_TFGAN = ("least-squares", "wasserstein", "relativistic")


class AdversarialLoss(NamedTuple):
    """Two callables (real_logits [N], fake_logits [N]) -> scalar, each to be minimised by its network."""

    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    generator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def build_loss(name: str) -> AdversarialLoss:
    """Return the AdversarialLoss of that name, one of the choices of models.recipes.Recipe.

    least-squares, wasserstein and relativistic are TF-GAN's.

    hinge: Lim and Ye 2017, eq. 5 (arXiv:1705.02894). non-saturating: Goodfellow et al. 2014, section 3
    (arXiv:1406.2661). relativistic-pairing: Jolicoeur-Martineau 2018, section 4.1 (arXiv:1807.00734), as in Huang et
    al. 2024, eq. 2 (arXiv:2501.05441). least-squares: Mao et al. 2016, eq. 2 (arXiv:1611.04076). wasserstein: Arjovsky
    et al. 2017 (arXiv:1701.07875). relativistic: the relativistic average, Jolicoeur-Martineau 2018, section 4.2.
    """
    if name == "hinge":
        return AdversarialLoss(_hinge_discriminator_loss, lambda real, fake: -ops.mean(fake))
    if name == "non-saturating":
        return AdversarialLoss(
            lambda real, fake: ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)),
            lambda real, fake: ops.mean(ops.softplus(-fake)),
        )
    if name == "relativistic-pairing":
        return AdversarialLoss(
            lambda real, fake: ops.mean(ops.softplus(fake - real)),
            lambda real, fake: ops.mean(ops.softplus(real - fake)),
        )
    if name not in _FROM_TFGAN:
        raise RequestError(f"no loss is called {name!r}")
    try:
        losses = import_tfgan().losses.wargs
    except ImportError as error:
        raise RequestError(f"--loss {name} comes from TF-GAN. {error}") from error
    if name == "relativistic":
        return AdversarialLoss(losses.relativistic_discriminator_loss, losses.relativistic_generator_loss)
    generator_loss = getattr(losses, f"{name.replace('-', '_')}_generator_loss")
    return AdversarialLoss(
        getattr(losses, f"{name.replace('-', '_')}_discriminator_loss"),
        lambda real, fake: generator_loss(fake),
    )


def _hinge_discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
