import numpy as np
import pytest

from synth.options import RunOptions, SubsetOptions
from tasks.real_data import load_data, print_plan
from tests.conftest import make_images

RUN = RunOptions(out="out", quiet=True)


@pytest.fixture
def data(tmp_path):
    """Path of an .npz with 140 images of two classes."""
    images, labels = make_images(140)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return str(tmp_path / "digits.npz")


def test_options_say_which_images(data):
    dataset = load_data(SubsetOptions(data=data, classes="1", image_size=(14, 14)), RUN)
    assert (len(dataset.images), dataset.image_shape, dataset.class_names) == (70, (14, 14, 1), ("1",))


def test_without_data_they_are_those_of_the_run_and_options_go_first(data):
    inherited = load_data(SubsetOptions(data=data), RUN).request | {"seed": 7}
    assert load_data(SubsetOptions(), RUN, inherited).request["seed"] == 7
    dataset = load_data(SubsetOptions(classes="0"), RUN, inherited)
    assert (dataset.class_names, dataset.request["seed"]) == (("0",), 7)
    assert load_data(SubsetOptions(data=data), RUN, inherited).request["seed"] == 0  # nothing is inherited


def test_data_that_have_changed_are_refused(data):
    before = load_data(SubsetOptions(data=data), RUN)
    load_data(SubsetOptions(), RUN, before.request, before.fingerprint)
    images, labels = make_images(140, seed=1)
    np.savez(data, images=images, labels=labels)
    with pytest.raises(ValueError, match=r"It has changed \(\w{12}\): name the right ones with --data"):
        load_data(SubsetOptions(), RUN, before.request, before.fingerprint)
    load_data(SubsetOptions(classes="0,1"), RUN, before.request, before.fingerprint)  # others are asked for
    load_data(SubsetOptions(data=data), RUN, before.request, before.fingerprint)


def test_a_plan_has_a_line_for_each_heading(capsys):
    plan = {"data": "apes", "classifiers": "3"}
    print_plan(plan, quiet=True)
    assert capsys.readouterr().out == ""
    print_plan(plan, quiet=False)
    assert capsys.readouterr().out == "data:        apes\nclassifiers: 3\n"
