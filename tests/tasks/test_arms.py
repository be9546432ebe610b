import pytest

from tasks.arms import FAMILIES, Arm, list_arms, parse_gans


def test_classes_are_filled_up_to_the_largest():
    assert Arm("a").count_added([50, 20, 49]) == {1: 30, 2: 1}
    assert Arm("a", fill=0.5).count_added([50, 20]) == {1: 15}
    assert Arm("a", ratio=1.0).count_added([50, 20]) == {0: 50, 1: 80}
    assert Arm("a", added=10).count_added([50, 50]) == {0: 10, 1: 10}
    assert Arm("a", ratio=-0.5).count_added([50, 20]) == {1: 5}
    assert Arm("a").count_added([50, 50]) == {}
    assert Arm("a", classes=(2,)).count_added([50, 20, 49]) == {2: 1}


def test_all_controls_stand_beside_the_gan():
    arms = list_arms(("shared:small",))
    assert [arm.name for arm in arms] == list(FAMILIES)
    assert [arm.name for arm in arms if arm.is_control] == list(FAMILIES[:6])
    assert [arm.name for arm in arms if arm.filtered] == ["gan-filtered", "mixed", "classic-gan", "classic-mixed"]


def test_several_gans_are_named_and_joined_ones_share():
    arms = list_arms(("shared:small", "shared:small+alone:dcgan"), ("real", "gan"), fill=0.5)
    assert [arm.name for arm in arms] == ["real", "gan shared:small", "gan shared:small+alone:dcgan"]
    assert arms[2].gans == ("shared:small", "alone:dcgan")
    assert arms[2].fill == 0.5


def test_gans_are_named_once():
    assert parse_gans(("shared:x", "shared:x+alone:y"), ("x", "y")) == ("shared:x", "alone:y")


@pytest.mark.parametrize("entry", ["small", "both:small", "shared:big", "shared:small+", ""])
def test_unknown_gans_are_refused(entry):
    with pytest.raises(ValueError, match=r"--gans should be SCOPE:RECIPE, scope shared or alone, recipe one of small"):
        parse_gans((entry,), ("small",))
