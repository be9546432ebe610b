import numpy as np
import pytest
from PIL import Image

from common.command_line import print_plan
from common.errors import RequestError
from common.run_options import RunOptions
from real.data_options import DataOptions, SubsetOptions
from tasks.real_data import load_data, note_near_copies
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
    drawn = RunOptions(out="out", quiet=True, seed=3)
    assert load_data(SubsetOptions(real_per_class=9), drawn, inherited).request["seed"] == 3  # which draws them


def test_data_that_have_changed_are_refused(data):
    before = load_data(SubsetOptions(data=data), RUN)
    load_data(SubsetOptions(), RUN, before.request, before.fingerprint)
    images, labels = make_images(140, seed=1)
    np.savez(data, images=images, labels=labels)
    with pytest.raises(ValueError, match=r"It has changed \(\w{12}\): name the right ones with --data"):
        load_data(SubsetOptions(), RUN, before.request, before.fingerprint)
    with pytest.raises(ValueError, match="It has changed"):  # another split is one of the same images
        load_data(SubsetOptions(resplit="60/20/20"), RUN, before.request, before.fingerprint)
    load_data(SubsetOptions(classes="0,1"), RUN, before.request, before.fingerprint)  # others are asked for
    load_data(SubsetOptions(data=data), RUN, before.request, before.fingerprint)


def test_a_plan_has_a_line_for_each_heading(capsys):
    plan = {"data": "apes", "classifiers": "3"}
    print_plan(plan, quiet=True)
    assert capsys.readouterr().out == ""
    print_plan(plan, quiet=False)
    assert capsys.readouterr().out == "data:        apes\nclassifiers: 3\n"
    print_plan(plan | {"flips": "off"}, quiet=False, printed=plan | {"flips": "auto"})
    assert capsys.readouterr().out == "flips:       off\n"


@pytest.fixture
def folder(tmp_path):
    """Two classes of pictures that are twice as wide as high."""
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for number in range(4):
            picture = np.full((4, 8), 20 * number + k, np.uint8)
            picture[:, 2:6] = 100 + 50 * k
            Image.fromarray(picture).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_the_data_of_a_run_are_fitted_as_it_has_recorded_or_as_runs_of_before_did(folder):
    run = RunOptions(quiet=True)
    request = load_data(DataOptions(data=str(folder), image_size=(4, 4), fit="pad"), run).request
    assert load_data(DataOptions(), run, request).images[0, 0, 0, 0] == 0  # a bar
    del request["fit"]
    stretched = load_data(DataOptions(), run, request)
    assert stretched.request["fit"] == "stretch"
    assert stretched.fingerprint != load_data(DataOptions(data=str(folder), image_size=(4, 4)), run).fingerprint


def test_how_data_are_read_again_is_no_reason_not_to_compare_them(folder):
    run = RunOptions(quiet=True)
    request = load_data(DataOptions(data=str(folder)), run).request
    with pytest.raises(RequestError, match="should be the data that the run was made from"):
        load_data(DataOptions(no_cache=True), run, request, "another fingerprint")


def test_notes_are_printed_first(folder, capsys):
    (folder / "c").mkdir()
    load_data(DataOptions(data=str(folder)), RunOptions())
    assert capsys.readouterr().out == "note: folders without pictures are left out: c\n"


def test_held_out_images_that_look_like_train_images_are_counted(data, capsys):
    images, labels = make_images(140)
    images[:, :8] = np.random.default_rng(0).integers(0, 256, images[:, :8].shape)  # no two alike
    np.savez(data, images=images, labels=labels)
    run = RunOptions(out="out")
    plain = load_data(SubsetOptions(data=data), run)
    note_near_copies(plain, run.quiet)
    assert capsys.readouterr().out == ""
    images[plain.test[:3]] = images[plain.train[:3]] // 2  # darker
    np.savez(data, images=images, labels=labels)
    note_near_copies(load_data(SubsetOptions(data=data), run), run.quiet)
    assert capsys.readouterr().out.startswith("note: 3 of 14 test images look like a train image,")
