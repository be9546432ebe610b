"""The variations of a recipe that a search can be asked for: by name, or field by field."""

import re
from dataclasses import fields

from common.errors import RequestError
from models.recipes import Recipe

BASE = "base"  # the recipe as it is
VARIATIONS = {
    "no-noise": {"noise": False},
    "spectral-hinge": {"loss": "hinge", "discriminator_norm": "spectral", "penalty": "none"},
    "non-saturating": {"loss": "non-saturating"},
    "r1": {"penalty": "r1"},
    "penalty-0.3": {"penalty_weight": 0.3, "penalty_weight_end": 0.03},
    "penalty-3": {"penalty_weight": 3.0, "penalty_weight_end": 0.3},
    "constant-penalty": {"penalty_weight_end": 1.0},
    "batch-32": {"batch_size": 32},
    "batch-128": {"batch_size": 128},
    "latent-128": {"latent_dim": 128},
    "ema-0.9995": {"ema_decay": 0.9995},
    "generator-48": {"generator_width": 48},
    "discriminator-24": {"discriminator_width": 24},
    "discriminator-64": {"discriminator_width": 64},
    "residual": {"residual_blocks": 1},
    "residual-2": {"residual_blocks": 2},
    "residual-narrow": {"residual_blocks": 1, "generator_width": 16, "discriminator_width": 16},
    "residual-flat": {"residual_blocks": 1, "width_growth": 1.5},
    "discriminator-steps-2": {"discriminator_steps": 2},
    "constant-rate": {"rate_decay": "constant"},
    "decay-from-start": {"decay_start": 0.0},
    "float32": {"dtype": "float32"},
    "no-features": {"feature_weight": 0.0},
    "augment-translation": {"diffaugment": "translation"},
    "augment-colour": {"diffaugment": "brightness,saturation,contrast,translation,cutout"},
}
_EXPECTED = {bool: "yes or no", int: "an integer", float: "a number"}


def parse_variation(text):
    """Turn a name of VARIATIONS, or "NAME:field=value,field=value", into (name, {recipe field: value})."""
    name, colon, fields = text.partition(":")
    if not colon and name in VARIATIONS:
        return name, VARIATIONS[name]
    if not colon or not re.fullmatch(r"[\w.-]+", name):
        raise RequestError(
            f"--variations should be among {', '.join(VARIATIONS)}, or NAME:field=value,field=value. "
            f"Got {text!r} instead."
        )
    return name, parse_fields(fields)


def parse_fields(text):
    """Turn "generator_rate=5e-4,noise=no" into {field: value}, with values of the fields' types.

    A comma within a value (diffaugment=translation,cutout) stays there. Raises RequestError for an unknown field or a
    value that is not of its type; the Recipe checks the rest.
    """
    types = {field.name: field.type for field in fields(Recipe) if field.name != "name"}
    given = {}
    for part in re.split(r",(?=\w*=)", text):
        name, _, value = part.partition("=")
        if name not in types:
            raise RequestError(f"a recipe's field should be one of {', '.join(types)}. Got {name!r} instead.")
        try:
            given[name] = {"yes": True, "no": False}[value] if types[name] is bool else types[name](value)
        except (KeyError, ValueError):
            raise RequestError(f"{name} should be {_EXPECTED[types[name]]}. Got {value!r:.60} instead.") from None
    return given
