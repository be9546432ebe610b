from pathlib import Path

import pytest

from common.files import mark_folder
from synth.runs import check_shards, find_shards
from tests.synth.numbered_shards import write_shards


def test_shards_are_found_in_folders_globs_and_files(tmp_path):
    write_shards(tmp_path, "npz")
    write_shards(tmp_path, "csv")
    (tmp_path / "manifest.json").unlink()
    found, run = find_shards(tmp_path)
    assert run is None
    assert [path.name for path in found] == [f"part-{shard:05d}.npz" for shard in (0, 2, 1, 3)]
    assert len(find_shards(tmp_path / "shards" / "4" / "*.csv")[0]) == 2
    assert len(find_shards(tmp_path / "shards" / "4" / "part-00000.csv")[0]) == 1


@pytest.mark.parametrize("pattern", ["", "shards", "shards/4", "shards/*/*.npz", "shards/4/part-00000.npz"])
def test_the_run_of_shards_is_found_from_every_way_to_name_them(tmp_path, pattern):
    assert find_shards(write_shards(tmp_path) / pattern)[1] == tmp_path


def test_shards_of_several_runs_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        write_shards(tmp_path / name)
    with pytest.raises(ValueError, match=r"should be the shards of one run\..*a, .*b: name one of them"):
        find_shards(tmp_path)


def test_no_shards_names_the_command_that_makes_them(tmp_path):
    with pytest.raises(ValueError, match=r"None in .*nowhere: python generate_data\.py --class-size 1000 --out"):
        find_shards(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("damage", "state"),
    [(Path.unlink, "missing"), (lambda path: path.write_bytes(path.read_bytes()[:-1]), "altered or truncated")],
)
def test_damaged_shards_are_named(tmp_path, damage, state):
    paths, run = find_shards(write_shards(tmp_path))
    check_shards(paths, run)
    damage(paths[1])
    with pytest.raises(ValueError, match=rf"{paths[1].name}: should be as manifest\.json recorded it, but is {state}"):
        check_shards(paths, run)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("generate_data.py", "is an unfinished run of generate_data.py: the same command again finishes it"),
        ("predict.py", "is a run of predict.py, which makes no shards"),
    ],
)
def test_a_run_without_shards_is_named(tmp_path, script, message):
    mark_folder(tmp_path, script, {})
    (tmp_path / "model/checkpoint").mkdir(parents=True)
    (tmp_path / "model/checkpoint/state.npz").touch()
    with pytest.raises(ValueError, match=message):
        find_shards(tmp_path)
