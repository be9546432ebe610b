from dataclasses import replace

import pytest

from models.recipe_fitting import fit_to_images
from models.recipes import RECIPES, Recipe

QUICK, MANY = RECIPES["quick"], 20_000


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 20, 1), (8, 8, 1)])
def test_small_grey_images_have_the_recipe_as_it_is(shape):
    assert fit_to_images(QUICK, (), shape, MANY) == QUICK


@pytest.mark.parametrize(
    ("shape", "steps", "width"),
    [
        ((32, 32, 1), 4000, 32),
        ((32, 32, 3), 6000, 16),
        ((20, 40, 1), 3250, 16),
        ((64, 64, 1), 1750, 16),
        ((64, 64, 3), 2625, 16),
        ((128, 96, 3), 975, 8),
    ],
)
def test_larger_images_have_fewer_steps_and_narrower_networks(shape, steps, width):
    fitted = fit_to_images(QUICK, (), shape, MANY)
    assert (fitted.steps, fitted.generator_width, fitted.discriminator_width) == (steps, width, width)
    assert fitted.steps / fitted.round_steps == pytest.approx(10, rel=0.01)


def test_images_in_colour_have_small_batches_and_a_light_steady_penalty():
    fitted = fit_to_images(QUICK, ("penalty_weight_end",), (28, 28, 3), MANY)
    assert (fitted.batch_size, fitted.steps, fitted.round_steps) == (32, 7500, 750)
    assert (fitted.penalty_weight, fitted.penalty_weight_end) == (0.05, QUICK.penalty_weight_end)
    assert fit_to_images(QUICK, (), (28, 28, 3), MANY).penalty_weight_end == 0.05


@pytest.mark.parametrize(("shape", "blocks"), [((32, 20, 3), 1), ((33, 20, 3), 0), ((32, 32, 1), 0)])
def test_small_images_in_colour_have_residual_blocks(shape, blocks):
    assert fit_to_images(QUICK, (), shape, MANY).residual_blocks == blocks


def test_without_residual_blocks_the_channels_stay():
    fitted = fit_to_images(QUICK, ("residual_blocks",), (32, 32, 3), MANY)
    assert (fitted.residual_blocks, fitted.generator_width, fitted.batch_size) == (0, 32, 32)


def test_best_is_one_wide_gan_where_there_are_residual_blocks():
    best = RECIPES["best"]
    fitted = fit_to_images(best, ("steps",), (32, 32, 3), MANY)
    assert (fitted.members, fitted.judge, fitted.penalty_weight_end) == (1, "resnet20", fitted.penalty_weight)
    assert (fitted.steps, fitted.generator_width) == (best.steps, 24)
    assert fit_to_images(best, (), (32, 32, 3), MANY - 1).judge == "cnn"
    assert fit_to_images(best, ("residual_blocks",), (32, 32, 3), MANY).members == 3
    assert [fit_to_images(best, (), shape, MANY).members for shape in [(64, 64, 3), (32, 32, 1)]] == [3, 3]


def test_batches_that_are_given_have_no_more_steps_in_colour():
    fitted = fit_to_images(QUICK, ("batch_size",), (28, 28, 3), MANY)
    assert (fitted.batch_size, fitted.steps, fitted.penalty_weight) == (64, 5000, 0.05)


def test_the_average_of_weights_reaches_back_as_far_in_shares_of_the_training():
    fitted = fit_to_images(RECIPES["standard"], (), (64, 64, 3), MANY)
    shares = [1 / (1 - recipe.ema_decay) / recipe.steps for recipe in (RECIPES["standard"], fitted)]
    assert shares[1] == pytest.approx(shares[0], rel=0.05)


def test_what_is_given_or_changed_stays():
    changed = replace(QUICK, discriminator_width=20)
    fitted = fit_to_images(changed, ("steps",), (64, 64, 3), MANY)
    assert (fitted.steps, fitted.discriminator_width, fitted.generator_width) == (5000, 20, 16)


@pytest.mark.parametrize("recipe", [RECIPES["dcgan"], RECIPES["mlp-cgan"], Recipe()])
def test_published_and_nameless_recipes_do_not_follow(recipe):
    assert fit_to_images(recipe, (), (64, 64, 3), MANY) == recipe
