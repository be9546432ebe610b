import numpy as np
import pytest
from PIL import Image

from synth.errors import RequestError
from synth.options import DataOptions, RunOptions
from tasks.real_data import load_data


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
