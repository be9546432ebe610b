from dataclasses import replace

import pytest

from common.errors import RequestError
from models.recipes import RECIPES, GANOptions, Recipe, take_recipe_fields
from tests.models.tiny import TINY


def test_epochs_become_steps():
    assert replace(TINY, steps=0, epochs=2.5).total_steps(1600) == 250


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "vae"}, "--network should be one of dcgan, mlp. Got 'vae' instead"),
        ({"batch_size": 1}, r"--batch-size should be in the range \[2, 65536\]. Got 1 instead"),
        ({"generator_rate": float("nan")}, r"--generator-rate should be in the range \[0, 1\]. Got nan instead"),
        ({"latent_dim": 10**12}, r"--latent-dim should be in the range \[1, 10000\]. Got 1000000000000 instead"),
        ({"epochs": float("inf")}, r"--epochs should be in the range \[0, 1000000.0\]. Got inf instead"),
        ({"steps": 10**4000}, r"--steps should be in the range .* Got 10{59} instead"),
        ({"steps": 2.5}, "--steps should be an integer. Got 2.5 instead"),
        ({"noise": 1}, "--noise should be yes or no. Got 1 instead"),
        ({"decay_start": 1.0}, r"--decay-start should be in the range \[0, 1\). Got 1.0 instead"),
        ({"steps": 0}, "--steps or --epochs should be above 0"),
    ],
)
def test_recipe_values_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **changes)


@pytest.mark.parametrize(
    ("name", "batch_size"), [("mlp-cgan", 64), ("mlp-minority", 64), ("dcgan", 128), ("dcgan-v2", 128)]
)
def test_published_recipes_are_not_changed_with_ours(name, batch_size):
    recipe = RECIPES[name]
    assert (recipe.batch_size, recipe.dtype) == (batch_size, "float32")
    assert (recipe.loss, recipe.penalty, recipe.noise) == ("non-saturating", "none", False)
    assert (recipe.beta1, recipe.beta2, recipe.rate_decay, recipe.ema_decay) == (0.5, 0.999, "constant", 0)


def test_published_rates():
    rates = {name: (recipe.discriminator_rate, recipe.generator_rate) for name, recipe in RECIPES.items()}
    assert rates["dcgan-v1"] == (1e-4, 2e-4)
    assert rates["dcgan-v2"] == (1e-3, 2e-3)
    norms = {name: (recipe.generator_norm, recipe.discriminator_norm) for name, recipe in RECIPES.items()}
    assert norms["dcgan"] == norms["dcgan-v1"] == ("none", "none")
    assert norms["dcgan-v2"] == ("batch", "batch")
    assert RECIPES["dcgan"].epochs == 200
    assert not RECIPES["dcgan"].conditional
    assert not RECIPES["mlp-minority"].conditional
    assert RECIPES["mlp-cgan"].conditional
    assert RECIPES["mlp-cgan"].patience > 0


def test_recipe_flags_override_the_table():
    options = dict.fromkeys((name for name in Recipe.__dataclass_fields__ if name != "name"), None)
    options |= {"epochs": 3.0, "loss": "hinge", "out": "here"}
    taken = take_recipe_fields(options)
    assert (taken, options) == ({"recipe_fields": {"epochs": 3.0, "loss": "hinge"}}, {"out": "here"})
    request = GANOptions(recipe="quick", **taken).resolve()
    assert sorted(request.given) == ["epochs", "loss"]
    recipe = request.recipe
    assert (recipe.name, recipe.steps, recipe.epochs, recipe.loss) == ("quick", 0, 3.0, "hinge")


def test_fields_that_no_recipe_has_are_named():
    with pytest.raises(RequestError, match="recipe's fields should be among .* Got 'step' instead"):
        GANOptions(recipe="standard", recipe_fields={"step": 3}).resolve()
    with pytest.raises(RequestError, match="--noise should be yes or no"):
        GANOptions(recipe_fields={"noise": "off"}).resolve()
