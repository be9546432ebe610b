import pytest

from common.run_files import load_histories

HEADER = "step,seconds,discriminator_loss,generator_loss,frechet,collapsed\n"


def test_every_history_of_a_run_is_read(tmp_path):
    for name in ("", "1/member-0"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "history.csv").write_text(HEADER + "2,1.5,0.5,0.5,9.5,\n")
    histories = load_histories(tmp_path)
    assert list(histories) == ["1/member-0", ""]
    assert histories[""]["frechet"].tolist() == [9.5]
    assert load_histories(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "should be a CSV table"),
        ("a,b\n1,2\n", "It lacks step"),
        (HEADER, "should have rows of finite numbers"),
        (HEADER + "2,1.5,0.5,nan,9.5,\n", "should have rows of finite numbers"),
        (HEADER + "two,1.5,0.5,0.5,9.5,\n", "should be a CSV table"),
    ],
)
def test_a_damaged_history_is_named(tmp_path, content, message):
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"history\.csv: .*{message}"):
        load_histories(tmp_path)
