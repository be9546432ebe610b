import json
from dataclasses import replace

import numpy as np
import pytest

from common.errors import RequestError
from common.files import mark_folder
from common.run_options import RunOptions
from models.description import save_description
from models.recipes import GANOptions
from real.data_options import SubsetOptions
from real.datasets import load_dataset
from tasks.generation import _load_train_data, settle_training
from tests.conftest import make_images


@pytest.mark.parametrize(
    ("gan", "message"),
    [
        (GANOptions(max_minutes=5), "--max-minutes is for one host"),
        (GANOptions(recipe="mlp-cgan"), "--patience is for one host"),
    ],
)
def test_several_hosts_should_end_at_the_same_step(monkeypatch, gan, message):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(RequestError, match=f"^{message}, as several would end at different steps: give --"):
        _load_train_data(SubsetOptions(), gan.resolve(), RunOptions(out="out"))


def test_a_run_that_goes_on_says_of_flips_what_it_said_before(tmp_path):
    images, labels = make_images(120)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    source, gan = load_dataset(tmp_path / "digits.npz"), GANOptions().resolve()
    how = (SubsetOptions(), gan, source, RunOptions(out=tmp_path / "out"))
    settled, training, plan = settle_training(*how)
    (tmp_path / "out/model").mkdir(parents=True)
    save_description(tmp_path / "out/model", replace(settled.recipe, flip="off"), source, seed=0)  # as a training does
    mark_folder(tmp_path / "out", "generate_data.py", {"training": json.loads(json.dumps(training))})
    assert settle_training(*how)[0].recipe.flip == "off"
    assert settle_training(*how)[2] == plan
