"""How much likelier an image is among the real ones than among a GAN's, in the features of the classifier that filters.

Candidates that are kept with a probability in proportion to this ratio are distributed as the real images, as far as
the features tell (Azadi et al. 2019, arXiv:1810.06758; by a classifier of real against generated: Grover et al. 2019,
arXiv:1906.09531).
"""

from itertools import islice
from typing import TYPE_CHECKING

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.classifier import build_feature_extractor, compute_features
from synth.sampling import BLOCK_SIZE, CALIBRATION_SHARD, sample_blocks

if TYPE_CHECKING:
    from models.trained_gan import TrainedGAN  # it imports this module

_MAX_CANDIDATES = 40000  # of all classes together; of a class no more than it has real images, but for the next line
_MIN_CANDIDATES = 1000  # of a class
_SURELY_KEPT = 0.02  # of the candidates: those with the highest ratios


def fit_density_ratio(trained: "TrainedGAN", images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Fit, for each class, the logarithm of a TrainedGAN's ratio, linear in the D features.

    images uint8 [N, H, W, C], labels [N]: of the train part. Returns weights float32 [K, D + 1]. The last column is
    the constant, which is such that the logarithm is 0 or more for one candidate in 50. It is below for the others,
    and there the logarithm of the probability of keeping them.
    """
    extractor = build_feature_extractor(trained.classifier)
    weights = []
    for k in range(len(trained.class_names)):
        real = compute_features(extractor, images[labels == k])
        count = max(_MIN_CANDIDATES, min(len(real), _MAX_CANDIDATES // len(trained.class_names)))
        blocks = sample_blocks(trained.generate, trained.latent_dim, trained.seed, k, CALIBRATION_SHARD)
        blocks = islice(blocks, -(-count // BLOCK_SIZE))
        fake = np.concatenate([compute_features(extractor, block) for block in blocks])
        scaler = StandardScaler()
        features = scaler.fit_transform(np.concatenate([real, fake]))
        regression = LogisticRegression(C=0.003, class_weight="balanced", solver="newton-cholesky")
        regression.fit(features, np.repeat([1, 0], [len(real), len(fake)]))
        slope = regression.coef_[0] / scaler.scale_
        weights.append(np.append(slope, -np.quantile(fake @ slope, 1 - _SURELY_KEPT)))
    return np.array(weights, np.float32)


def compute_log_ratio(classifier: keras.Model, weights: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Compute the logarithm for images uint8 [n, H, W, C] of one class from its weights float [D + 1]: [n]."""
    return compute_features(build_feature_extractor(classifier), images) @ weights[:-1] + weights[-1]
