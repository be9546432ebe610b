"""Published numbers that stand beside ours; all accuracies as fractions."""

from pathlib import Path

# Fully connected GAN, images ranked by the discriminator; the source does not say how many Sneakers it kept.
SNEAKER_BEFORE, SNEAKER_AFTER = 0.692, 0.802

# Dablain et al. 2021 (DeepSMOTE, arXiv:2105.02340): average class-specific accuracy, imbalance ratio 100.
LONG_TAILED = {
    "mnist": {"SMOTE": 0.8798, "BAGAN": 0.9306, "GAMO": 0.9552, "DeepSMOTE": 0.9609},
    "fashion_mnist": {"SMOTE": 0.7058, "BAGAN": 0.8148, "GAMO": 0.8303, "DeepSMOTE": 0.8363},
}

LONG_TAILED_COUNTS = (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40)

# A DCGAN per digit, a small CNN after 5 epochs: {real per digit: {synthetic per digit: test accuracy}}.
REDUCED_MNIST = {
    300: {0: 0.9680, 1000: 0.9665, 2000: 0.9625, 3000: 0.9690},
    700: {0: 0.9820, 1000: 0.9775, 2000: 0.9795, 3000: 0.9710},
    1000: {0: 0.9780, 1000: 0.9785, 2000: 0.9790, 3000: 0.9785},
}

# What the source of a recipe says of it; it stands beside what `evaluate_fid.py --compare` measures.
RECIPES = {
    "dcgan-v2": "published: an unstable training that ended at a Frechet distance of 338.76 in Inception's features "
    "(only --features inception can be compared with it)",
}


def identify(data):
    """Return "mnist" or "fashion_mnist" where the name of a data set or its file says so, else None."""
    name = Path(data).stem.lower().replace("-", "_")
    return name if name in LONG_TAILED else None
