import pytest

from common.errors import RequestError
from common.run_options import RunOptions
from models.recipes import GANOptions
from real.data_options import SubsetOptions
from tasks.generation import _load_train_data


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
