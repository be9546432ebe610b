import os

import pytest

from common.errors import RequestError
from common.files import (
    claim,
    is_claimed,
    list_written,
    load_json,
    mark_folder,
    remove_listed,
    remove_temporaries,
    remove_written,
    replacing,
    replacing_all,
    save_json,
)


@pytest.fixture
def run(tmp_path):
    mark_folder(tmp_path, "generate_data.py", {"seed": 0})
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    write(tmp_path / "a.txt", "whole")

    def fail():
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    write(tmp_path / "a.txt", "")
    (tmp_path / "b.txt").touch()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_nothing_is_written_through_a_symlink(tmp_path):
    (tmp_path / "theirs.txt").write_text("theirs")
    (tmp_path / "link.txt").symlink_to(tmp_path / "theirs.txt")
    write(tmp_path / "link.txt", "ours")
    assert (tmp_path / "theirs.txt").read_text() == "theirs"
    assert not (tmp_path / "link.txt").is_symlink()


def test_a_run_lists_what_it_writes_once(run):
    write(run / "a.txt", "1")
    write(run / "deep/er/b.txt", "1")
    write(run / "a.txt", "2")
    assert list_written(run) == ["a.txt", "deep/er/b.txt"]


def test_a_run_in_a_run_lists_its_own(run):
    (run / "inner").mkdir()
    mark_folder(run / "inner", "generate_data.py", {})
    write(run / "inner/model/a.txt", "")
    assert list_written(run) == []
    assert list_written(run / "inner") == ["model/a.txt"]


def test_somebody_elses_file_is_never_replaced(run):
    (run / "samples.png").write_text("theirs")
    with pytest.raises(RequestError, match=r"samples\.png should be new, or written by the run .*somebody else's"):
        write(run / "samples.png", "ours")
    assert (run / "samples.png").read_text() == "theirs"
    assert names(run) == ["config.json", "samples.png"]


def test_a_config_of_another_program_marks_no_run(tmp_path):
    save_json(tmp_path / "config.json", {"architectures": ["BertModel"]})
    write(tmp_path / "a.txt", "")
    assert names(tmp_path) == ["a.txt", "config.json"]


def test_what_was_written_is_removed_and_nothing_else(run):
    for name in ("model/generator.keras", "shards/0/part.npz", "shards/1/part.npz", "samples.png"):
        write(run / name, "ours")
    (run / "shards/0/theirs.npz").write_text("theirs")
    (run / "notes.txt").write_text("theirs")
    remove_written(run, kept="model")
    assert names(run) == ["config.json", "files.txt", "model/generator.keras", "notes.txt", "shards/0/theirs.npz"]
    assert not (run / "shards/1").exists()
    assert list_written(run) == ["model/generator.keras"]


def test_what_a_symlink_leads_to_is_not_removed(run, tmp_path_factory):
    write(run / "shards/part.npz", "ours")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    os.rename(run / "shards", elsewhere / "shards")
    (run / "shards").symlink_to(elsewhere / "shards")
    remove_written(run)
    assert (elsewhere / "shards/part.npz").exists()


@pytest.mark.parametrize("name", ["../theirs.txt", "/theirs.txt", "a/../../theirs.txt"])
def test_a_list_that_was_tampered_with_reaches_nothing_outside(tmp_path, name):
    run = tmp_path / "run"
    (run / "a").mkdir(parents=True)
    mark_folder(run, "generate_data.py", {})
    (tmp_path / "theirs.txt").write_text("theirs")
    (run / "files.txt").write_text(name.replace("/theirs", f"{tmp_path}/theirs", name.startswith("/")) + "\n")
    remove_written(run)
    assert (tmp_path / "theirs.txt").exists()


def test_a_file_elsewhere_can_be_claimed_and_stays(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "submission.csv"
    claim(path, run)
    path.write_text("ours")
    claim(path, run)
    assert is_claimed(path, run)
    remove_written(run)
    assert path.exists()
    assert is_claimed(path, run)


def test_temporaries_of_a_kill_are_removed_and_others_stay(run):
    write(run / "shards/0/part.npz", "")
    ours = run / "shards/0/.tmp-0123456789abcdef.npz"
    theirs = run / "shards/0/.tmp-mine.npz"
    for path in (ours, theirs):
        path.touch()
    remove_temporaries(run)
    assert not ours.exists()
    assert theirs.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "should be a JSON file"),
        (b"\xff\xfe", "should be a JSON file"),
        (b'{"seed": 0', "should be a JSON file"),
        (b"[" * 100_000, "should be a JSON file"),
        (b"[1]", "should hold a JSON object. Got list instead"),
    ],
)
def test_a_damaged_json_file_is_named(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RequestError, match=rf"a\.json: {message}"):
        load_json(tmp_path / "a.json")


def test_a_damaged_list_is_named(run):
    (run / "files.txt").write_bytes(b"\xff\n")
    with pytest.raises(RequestError, match=r"files\.txt: should list what the run has written.*another --out"):
        list_written(run)


def write_all(folder, names, text="ours", **changes):
    folder.mkdir(parents=True, exist_ok=True)
    with replacing_all(folder, names) as temporary:
        for name in names:
            (temporary / name).write_text(text)
        for name, content in changes.items():
            (temporary / name).write_text(content)


def test_many_files_are_listed_and_moved_together(run):
    write_all(run / "images/0", ["a", "b", "c"])
    write_all(run / "images/0", ["b", "d"], "again")
    assert list_written(run) == ["images/0/a", "images/0/b", "images/0/c", "images/0/d"]
    assert [(run / "images/0" / name).read_text() for name in "abcd"] == ["ours", "again", "ours", "again"]
    assert names(run) == ["config.json", "files.txt", *list_written(run)]


def test_many_files_are_not_moved_before_all_are_there(run):
    def fail():
        with replacing_all(run, ["a", "b"]) as temporary:
            (temporary / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with pytest.raises(FileNotFoundError), replacing_all(run, ["a", "b"]) as temporary:
        (temporary / "a").write_text("half")
    assert names(run) == ["config.json", "files.txt"]
    assert not list(run.glob(".tmp-*"))


def test_one_file_of_somebody_elses_among_many_stops_all(run):
    (run / "b").write_text("theirs")
    with pytest.raises(RequestError, match=r"b should be new, or written by the run"):
        write_all(run, ["a", "b"])
    assert names(run) == ["b", "config.json"]
    assert (run / "b").read_text() == "theirs"


def test_many_files_outside_of_a_run_are_not_listed(tmp_path):
    write_all(tmp_path, ["a", "b"])
    write_all(tmp_path, [])
    assert names(tmp_path) == ["a", "b"]


def test_a_temporary_folder_of_a_kill_is_removed_and_no_link(run, tmp_path_factory):
    write_all(run / "images/0", ["a"])
    (run / "images/0/.tmp-0123456789abcdef").mkdir()
    (run / "images/0/.tmp-0123456789abcdef/b").touch()
    theirs = tmp_path_factory.mktemp("theirs")
    (theirs / "c").touch()
    (run / "images/0/.tmp-fedcba9876543210").symlink_to(theirs)
    remove_temporaries(run)
    assert names(run / "images") == ["0/a"]
    assert (theirs / "c").exists()


def test_folders_that_are_empty_are_removed_whatever_their_order(run):
    for name in ("images/0/a", "images/a", "images/1/deep/a"):
        write(run / name, "ours")
    remove_written(run)
    assert not (run / "images").exists()


def test_a_torn_line_of_the_list_is_cut(run):
    write(run / "a.txt", "ours")
    with (run / "files.txt").open("a") as file:
        file.write("manifest.j")
    write(run / "b.txt", "ours")
    assert list_written(run) == ["a.txt", "b.txt"]


def test_a_list_with_a_null_byte_removes_nothing(run):
    write(run / "a.txt", "ours")
    with (run / "files.txt").open("a") as file:
        file.write("b\0c\n")
    with pytest.raises(RequestError, match="should list what the run has written. .It holds a null byte"):
        remove_written(run)
    assert (run / "a.txt").exists()


def test_what_a_new_set_lacks_is_removed_below_one_folder(run):
    for name in ("images/cat/1.png", "images/cat/2.png", "images/dog/1.png", "model/1.png"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        write(run / name, "ours")
    (run / "images/cat/mine.png").touch()
    remove_listed(run, "images", {"images/dog/1.png"})
    left = sorted(path.relative_to(run).as_posix() for path in run.rglob("*.png"))
    assert left == ["images/cat/mine.png", "images/dog/1.png", "model/1.png"]
    (run / "images/cat/mine.png").unlink()
    for _ in range(2):  # what is listed is gone the second time, and its folder, too
        remove_listed(run, "images", set())
    assert not (run / "images/cat").exists()
