import pytest

from benchmarks.variations import VARIATIONS, parse_fields, parse_variation
from models.recipes import Recipe, build_recipe


@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_of_the_table_is_a_recipe(name):
    assert Recipe(**dict([parse_variation(name)])[name]) != Recipe()


def test_fields_are_read_as_their_types():
    given = parse_fields("generator_rate=5e-4,diffaugment=translation,cutout,noise=no,latent_dim=8,epochs=2")
    fields = {
        "generator_rate": 5e-4,
        "diffaugment": "translation,cutout",
        "noise": False,
        "latent_dim": 8,
        "epochs": 2.0,
    }
    assert given == fields
    assert build_recipe("quick", given).steps == 0
    assert type(given["latent_dim"]) is int


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch=1", "a recipe's field should be one of network, .*dtype. Got 'nosuch' instead."),
        ("", "Got '' instead."),
        ("name=mine", "Got 'name' instead."),
        ("noise=maybe", "noise should be yes or no. Got 'maybe' instead."),
        ("latent_dim=1.5", "latent_dim should be an integer. Got '1.5' instead."),
        ("beta1=x,noise=no", "beta1 should be a number. Got 'x' instead."),
    ],
)
def test_wrong_fields_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_fields(text)
