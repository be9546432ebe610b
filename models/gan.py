"""The adversarial training step, written once for every pair of networks, loss and penalty."""

import keras
import tensorflow as tf
from keras import ops

from models.diffaugment import augment
from synth.images import to_network_range


class ReplicaSeeds(keras.random.SeedGenerator):
    """A seed generator that gives each replica of a tf.distribute strategy random numbers of its own."""

    def next(self, ordered=True):
        seed = super().next(ordered)
        replica = ops.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, seed.dtype)
        return seed + ops.stack([replica, ops.zeros_like(replica)])


class GAN(keras.Model):
    """A generator and a discriminator that train each other in `fit`, and the generator's moving average.

    generator, moving_average: models (latent [N, L](, label [N])) -> images [N, H, W, C] in [-1, 1], same build.
    discriminator: model (image(, label)) -> logit [N].
    feature_discriminator: None, or model (features(, label)) -> logit [N], that plays the same game on what
    `frozen_features`, model images -> features [N, D], gives; `feature_weight` times its loss is the generator's, too.
    loss: models.losses.AdversarialLoss. penalty: "none" or one of these times `penalty_weight`
    (a variable, so that it can change while training): "r1" and "r1-r2" are
    the zero-centred gradient penalties on real, and on real and fake images (Mescheder et al. 2018,
    arXiv:1801.04406, eq. 9); "gradient" is the one of WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028, eq. 3).
    ema_decay: of the moving average; it rises to this value over the first steps.
    """

    def __init__(
        self,
        generator,
        discriminator,
        moving_average,
        *,
        loss,
        penalty="none",
        penalty_weight=0.0,
        augmentations=(),
        discriminator_steps=1,
        ema_decay=0.999,
        feature_discriminator=None,
        frozen_features=None,
        feature_weight=1.0,
        seed=0,
    ):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.moving_average = moving_average
        self.moving_average.set_weights(generator.get_weights())
        self.loss_functions = loss
        self.penalty = penalty
        self.penalty_weight = keras.Variable(penalty_weight, trainable=False, name="penalty_weight")
        self.augmentations = augmentations
        self.discriminator_steps = discriminator_steps
        self.ema_decay = ema_decay
        self.feature_discriminator = feature_discriminator
        self.frozen_features = frozen_features
        self.feature_weight = feature_weight
        self.seed_generator = ReplicaSeeds(seed)
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.built = True

    @property
    def discriminators(self):
        """The discriminators, that of the images first."""
        return [model for model in (self.discriminator, self.feature_discriminator) if model is not None]

    @property
    def _discriminator_variables(self):
        return [variable for model in self.discriminators for variable in model.trainable_variables]

    def compile(self, generator_optimizer, discriminator_optimizer, **options):
        """Take the optimizers of generator and discriminators, and keras.Model.compile's options but for losses."""
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self._discriminator_variables)

    def _maybe_symbolic_build(self, *args, **options):
        """Everything is built already; Keras' own symbolic build fails under MultiWorkerMirroredStrategy."""

    def train_step(self, data):
        """Run one step on (images uint8 [N, H, W, C], class indices [N]); return the two losses, each of shape [1]."""
        images, labels = data
        real = to_network_range(tf.cast(images, tf.float32))
        for _ in range(self.discriminator_steps - 1):
            self._update(real, labels, with_generator=False)
        discriminator_loss, generator_loss = self._update(real, labels)
        self._update_moving_average()
        return {
            "discriminator_loss": tf.reshape(discriminator_loss, (1,)),
            "generator_loss": tf.reshape(generator_loss, (1,)),
        }

    def _update(self, real, labels, with_generator=True):
        """Update both networks at once, from one batch of fake images."""
        latents = keras.random.normal((tf.shape(real)[0], self.latent_dim), seed=self.seed_generator)
        with tf.GradientTape() as generator_tape:
            fake = self.generator(self._inputs(latents, labels), training=True)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            discriminator_loss, generator_loss, penalty = self._play(self._logits, real, fake, labels)
            if self.feature_discriminator is not None:
                features = self._see(real), self._see(fake)
                losses = self._play(self._feature_logits, *features, labels)
                discriminator_loss += losses[0]
                generator_loss += self.feature_weight * losses[1]
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

    def _play(self, critic, real, fake, labels):
        """Return (discriminator's loss, generator's loss, penalty) of a `critic`, (batch, labels) -> logits."""
        penalty, real_logits, fake_logits = self._score_both(critic, real, fake, labels)
        losses = self.loss_functions
        return losses.discriminator(real_logits, fake_logits), losses.generator(real_logits, fake_logits), penalty

    def _score_both(self, critic, real, fake, labels):
        """Return (penalty, logits of what is real [N], logits of what is fake [N])."""
        if self.penalty == "none":
            return 0.0, critic(real, labels), critic(fake, labels)
        if self.penalty == "gradient":
            ones = [1] * (len(real.shape) - 1)
            mix = keras.random.uniform((tf.shape(real)[0], *ones), seed=self.seed_generator)
            slopes, _ = _compute_slopes(critic, real + mix * (fake - real), labels)
            penalty = tf.reduce_mean((tf.sqrt(slopes + 1e-10) - 1.0) ** 2)
            return self.penalty_weight * penalty, critic(real, labels), critic(fake, labels)
        slopes, real_logits = _compute_slopes(critic, real, labels)
        penalty = tf.reduce_mean(slopes)
        if self.penalty == "r1":
            fake_logits = critic(fake, labels)
        else:
            slopes, fake_logits = _compute_slopes(critic, fake, labels)
            penalty += tf.reduce_mean(slopes)
        return 0.5 * self.penalty_weight * penalty, real_logits, fake_logits

    def _logits(self, images, labels):
        return self.discriminator(self._inputs(self._augment(images), labels), training=True)

    def _feature_logits(self, features, labels):
        return self.feature_discriminator(self._inputs(features, labels), training=True)

    def _see(self, images):
        return self.frozen_features(self._augment(images), training=False)

    def _augment(self, images):
        return augment(images, self.augmentations, self.seed_generator)

    def _inputs(self, first, labels):
        return [first, labels] if self.conditional else [first]

    def _update_moving_average(self):
        step = ops.cast(self.generator_optimizer.iterations, "float32")
        decay = ops.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, current in zip(self.moving_average.weights, self.generator.weights, strict=True):
            average.assign(decay * average + (1.0 - decay) * current)


def _compute_slopes(critic, inputs, labels):
    """Return the squared norm of d logit / d input, and the logits, both [N]."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = critic(inputs, labels)
    return tf.reduce_sum(tape.gradient(logits, inputs) ** 2, axis=range(1, len(inputs.shape))), logits
