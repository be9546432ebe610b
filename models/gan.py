"""The adversarial training step, written once for every pair of networks, loss and penalty."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from common.images import to_network_range
from models.diffaugment import augment
from models.losses import AdversarialLoss

Critic = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # (images or features [N, ...], labels [N]) -> logits [N]


@dataclass(frozen=True)
class Rules:
    """What the networks of a GAN play for, and how.

    penalty: "none" or one of these times `penalty_weight`: "r1" and "r1-r2" are the zero-centred gradient penalties on
    real, and on real and fake images (Mescheder et al. 2018, arXiv:1801.04406, eq. 9); "gradient" is the one of WGAN-GP
    (Gulrajani et al. 2017, arXiv:1704.00028, eq. 3). augmentations: names of models.diffaugment, applied to all that a
    discriminator sees. discriminator_steps: for each step of the generator. ema_decay: of the moving average; it rises
    to this value over the first steps.
    """

    loss: AdversarialLoss
    penalty: str = "none"
    penalty_weight: float = 0.0
    augmentations: tuple[str, ...] = ()
    discriminator_steps: int = 1
    ema_decay: float = 0.999


@dataclass(frozen=True)
class FeatureGame:
    """The same game on features: a second discriminator, of what a network that does not change sees in the images.

    frozen: model images [N, H, W, C] in [-1, 1] -> features [N, D]. discriminator: model (features(, label [N])) ->
    logit [N]. weight: of its loss in the generator's.
    """

    frozen: keras.Model
    discriminator: keras.Model
    weight: float = 1.0


class ReplicaSeeds(keras.random.SeedGenerator):
    """A seed generator that gives each replica of a tf.distribute strategy random numbers of its own."""

    def next(self, ordered: bool = True) -> tf.Tensor:
        seed = super().next(ordered)
        replica = ops.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, seed.dtype)
        return seed + ops.stack([replica, ops.zeros_like(replica)])


class GAN(keras.Model):
    """A generator and a discriminator that train each other in `fit`, and the generator's moving average.

    generator, moving_average: models (latent [N, L](, label [N])) -> images [N, H, W, C] in [-1, 1], same build.
    discriminator: model (image(, label)) -> logit [N].
    penalty_weight: a variable that begins as the rules say, so that it can change while training.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        moving_average: keras.Model,
        rules: Rules,
        feature_game: FeatureGame | None = None,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.moving_average = moving_average
        self.moving_average.set_weights(generator.get_weights())
        self.rules = rules
        self.penalty_weight = keras.Variable(rules.penalty_weight, trainable=False, name="penalty_weight")
        self.feature_game = feature_game
        self.seed_generator = ReplicaSeeds(seed)
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.built = True

    @property
    def discriminators(self) -> list[keras.Model]:
        """The discriminators, that of the images first."""
        return [self.discriminator, *([self.feature_game.discriminator] if self.feature_game else [])]

    @property
    def _discriminator_variables(self) -> list[keras.Variable]:
        return [variable for model in self.discriminators for variable in model.trainable_variables]

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        **options: Any,
    ) -> None:
        """Take the optimizers of generator and discriminators, and keras.Model.compile's options but for losses."""
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self._discriminator_variables)

    def _maybe_symbolic_build(self, *args: Any, **options: Any) -> None:
        """Everything is built already; Keras' own symbolic build fails under MultiWorkerMirroredStrategy."""

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Run one step on (images uint8 [N, H, W, C], class indices [N]); return the two losses, each of shape [1].

        The N images are in equal parts for the steps of the discriminator.
        """
        images, labels = data
        real, steps = to_network_range(tf.cast(images, tf.float32)), self.rules.discriminator_steps
        *before, last = zip(tf.split(real, steps), tf.split(labels, steps), strict=True)
        for batch in before:
            self._update(*batch, with_generator=False)
        discriminator_loss, generator_loss = self._update(*last)
        self._update_moving_average()
        return {
            "discriminator_loss": tf.reshape(discriminator_loss, (1,)),
            "generator_loss": tf.reshape(generator_loss, (1,)),
        }

    def _update(self, real: tf.Tensor, labels: tf.Tensor, with_generator: bool = True) -> tuple[tf.Tensor, tf.Tensor]:
        """Update both networks at once, from one batch of fake images."""
        latents = keras.random.normal((tf.shape(real)[0], self.latent_dim), seed=self.seed_generator)
        with tf.GradientTape() as generator_tape:
            fake = self.generator(self._inputs(latents, labels), training=True)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            discriminator_loss, generator_loss, penalty = self._play(self._logits, real, fake, labels)
            game = self.feature_game
            if game is not None:
                features = self._see(game, real), self._see(game, fake)
                losses = self._play(partial(self._feature_logits, game), *features, labels)
                discriminator_loss += losses[0]
                generator_loss += game.weight * losses[1]
                penalty += losses[2]
            # Keras sums gradients over the replicas of a tf.distribute strategy.
            scale = 1.0 / tf.distribute.get_strategy().num_replicas_in_sync
            penalised_loss = (discriminator_loss + penalty) * scale
            scaled_generator_loss = generator_loss * scale
        variables = self._discriminator_variables
        gradients = tape.gradient(penalised_loss, variables)
        if with_generator:
            fake_gradient = tape.gradient(scaled_generator_loss, fake)
            generator_variables = self.generator.trainable_variables
            generator_gradients = generator_tape.gradient(fake, generator_variables, output_gradients=fake_gradient)
            self.generator_optimizer.apply_gradients(zip(generator_gradients, generator_variables, strict=True))
        self.discriminator_optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return discriminator_loss, generator_loss

    def _play(
        self, critic: Critic, real: tf.Tensor, fake: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return (discriminator's loss, generator's loss, penalty) of a critic."""
        penalty, real_logits, fake_logits = self._score_both(critic, real, fake, labels)
        loss = self.rules.loss
        return loss.discriminator(real_logits, fake_logits), loss.generator(real_logits, fake_logits), penalty

    def _score_both(
        self, critic: Critic, real: tf.Tensor, fake: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return (penalty, logits of what is real [N], logits of what is fake [N])."""
        if self.rules.penalty == "none":
            return 0.0, critic(real, labels), critic(fake, labels)
        if self.rules.penalty == "gradient":
            ones = [1] * (len(real.shape) - 1)
            mix = keras.random.uniform((tf.shape(real)[0], *ones), seed=self.seed_generator)
            slopes, _ = _compute_slopes(critic, real + mix * (fake - real), labels)
            penalty = tf.reduce_mean((tf.sqrt(slopes + 1e-10) - 1.0) ** 2)
            return self.penalty_weight * penalty, critic(real, labels), critic(fake, labels)
        slopes, real_logits = _compute_slopes(critic, real, labels)
        penalty = tf.reduce_mean(slopes)
        if self.rules.penalty == "r1":
            fake_logits = critic(fake, labels)
        else:
            slopes, fake_logits = _compute_slopes(critic, fake, labels)
            penalty += tf.reduce_mean(slopes)
        return 0.5 * self.penalty_weight * penalty, real_logits, fake_logits

    def _logits(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return self.discriminator(self._inputs(self._augment(images), labels), training=True)

    def _feature_logits(self, game: FeatureGame, features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return game.discriminator(self._inputs(features, labels), training=True)

    def _see(self, game: FeatureGame, images: tf.Tensor) -> tf.Tensor:
        return game.frozen(self._augment(images), training=False)

    def _augment(self, images: tf.Tensor) -> tf.Tensor:
        return augment(images, self.rules.augmentations, self.seed_generator)

    def _inputs(self, first: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
        return [first, labels] if self.conditional else [first]

    def _update_moving_average(self) -> None:
        step = ops.cast(self.generator_optimizer.iterations, "float32")
        decay = ops.minimum(self.rules.ema_decay, (1.0 + step) / (10.0 + step))
        for average, current in zip(self.moving_average.weights, self.generator.weights, strict=True):
            average.assign(decay * average + (1.0 - decay) * current)


def _compute_slopes(critic: Critic, inputs: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the squared norm of d logit / d input, and the logits, both [N]."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = critic(inputs, labels)
    return tf.reduce_sum(tape.gradient(logits, inputs) ** 2, axis=range(1, len(inputs.shape))), logits
