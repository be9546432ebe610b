import json
import shutil

import numpy as np
import pytest

from common.errors import RequestError
from common.files import save_json
from synth import shard_writing
from synth.shard_formats import hash_file, read_shard
from synth.shard_writing import stream_shards
from synth.shards import load_manifest, save_manifest

SAMPLING = {
    "class_size": {"ape": 25, "bee": 5},
    "filter": "both",
    "keep": 0.8,
    "min_probability": 0.5,
    "duplicate_distance": 0.0,
    "latent_std": 1.0,
    "format": "both",
    "shard_size": 10,
    "seed": 0,
}


class NoiseModel:
    """Stands in for a trained run: an image is its latent, the score its mean, and half of them look like apes."""

    image_shape, latent_dim = (4, 4, 1), 16
    class_names, label_values = ("ape", "bee"), (4, 9)
    data, request, fingerprint = "noise", {"data": "noise", "seed": 0}, "0" * 64

    def generate(self, latents, class_index):
        return np.clip(latents * 40 + 128, 0, 255).astype(np.uint8).reshape(-1, 4, 4, 1)

    def score(self, images, class_index):
        return images.mean(axis=(1, 2, 3))

    def classify(self, images):
        is_ape = images[:, 0, 0, 0] > 128
        return np.stack([is_ape, ~is_ape], axis=1).astype(float)

    def train_hashes(self):
        return np.arange(3, dtype=np.uint64)

    def compute_hash(self):
        return "1" * 64


def stream(folder, **changes):
    return stream_shards(NoiseModel(), SAMPLING | changes, folder, quiet=True)


def contents(folder):
    """The bytes of every file, but for the times of the shards in the manifest."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    manifest = json.loads(files["manifest.json"])
    for entry in manifest["shards"]:
        del entry["modified"]
    return files | {"manifest.json": manifest}


def test_shards_and_manifest_agree(tmp_path):
    manifest = stream(tmp_path)
    assert manifest == load_manifest(tmp_path)
    assert manifest["complete"]
    assert [(entry["file"], entry["rows"]) for entry in manifest["shards"] if entry["file"].endswith("npz")] == [
        ("shards/ape/part-00000.npz", 10),
        ("shards/ape/part-00001.npz", 10),
        ("shards/ape/part-00002.npz", 5),
        ("shards/bee/part-00000.npz", 5),
    ]
    assert all(hash_file(tmp_path / entry["file"]) == entry["sha256"] for entry in manifest["shards"])
    ape = manifest["classes"]["ape"]
    assert (ape["label"], ape["asked"], ape["accepted"]) == (4, 25, 25)
    assert ape["candidates"] == 25 + sum(ape["rejected"].values())
    assert set(ape["rejected"]) == {"discriminator", "classifier"}
    thresholds = manifest["filter"]["thresholds"]
    for name, label in (("ape", 4), ("bee", 9)):
        images, labels = read_shard(tmp_path / f"shards/{name}/part-00000.csv", (4, 4, 1))
        assert (labels == label).all()
        assert (images.mean(axis=(1, 2, 3)) >= thresholds[name]).all()


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(tmp_path, monkeypatch):
    stream(tmp_path / "whole")
    write_shard, calls = shard_writing.write_shard, []

    def write_then_die(path, *arguments):
        calls.append(path)
        if len(calls) == 6:
            raise KeyboardInterrupt
        write_shard(path, *arguments)

    (tmp_path / "cut").mkdir()
    monkeypatch.setattr(shard_writing, "write_shard", write_then_die)
    with pytest.raises(KeyboardInterrupt):
        stream(tmp_path / "cut")
    manifest = load_manifest(tmp_path / "cut")
    assert not manifest["complete"]
    del manifest["filter"]["thresholds"]["bee"]  # lost thresholds are found again
    save_manifest(tmp_path / "cut", manifest)
    monkeypatch.setattr(shard_writing, "write_shard", write_shard)
    stream(tmp_path / "cut")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def cut_after(folder, monkeypatch, writes):
    """Interrupt a run at its so many-th write."""
    write_shard, calls = shard_writing.write_shard, []

    def write_then_die(path, *arguments):
        calls.append(path)
        if len(calls) > writes:
            raise KeyboardInterrupt
        write_shard(path, *arguments)

    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(shard_writing, "write_shard", write_then_die)
        with pytest.raises(KeyboardInterrupt):
            stream(folder)


def test_the_manifest_is_written_for_the_first_shard_and_the_last_and_a_journal_between(tmp_path, monkeypatch):
    saved = []
    save = shard_writing.save_manifest
    monkeypatch.setattr(shard_writing, "save_manifest", lambda *arguments: (saved.append(1), save(*arguments)))
    cut_after(tmp_path / "cut", monkeypatch, 6)
    assert len(saved) == 1
    lines = (tmp_path / "cut/shards.jsonl").read_text().splitlines()
    assert [json.loads(line)["file"] for line in lines] == [
        f"shards/ape/part-0000{shard}.{suffix}" for shard in (1, 2) for suffix in ("npz", "csv")
    ]
    assert len(load_manifest(tmp_path / "cut")["shards"]) == 6
    stream(tmp_path / "cut")
    assert not (tmp_path / "cut/shards.jsonl").exists()


def test_a_torn_last_line_of_the_journal_is_no_shard(tmp_path, monkeypatch):
    stream(tmp_path / "whole")
    cut_after(tmp_path / "cut", monkeypatch, 6)
    journal = tmp_path / "cut/shards.jsonl"
    whole = journal.read_bytes()
    for length in (len(whole) - 1, len(whole) - 40, 1, 0):
        journal.write_bytes(whole[:length])
        assert len(load_manifest(tmp_path / "cut")["shards"]) == 2 + whole[:length].count(b"\n")
    journal.write_bytes(whole[:-40])
    stream(tmp_path / "cut")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_kill_between_the_manifest_and_the_removal_of_the_journal_costs_nothing(tmp_path, monkeypatch):
    cut_after(tmp_path / "cut", monkeypatch, 6)
    journal = (tmp_path / "cut/shards.jsonl").read_bytes()
    stream(tmp_path / "cut")
    manifest = load_manifest(tmp_path / "cut")
    (tmp_path / "cut/shards.jsonl").write_bytes(journal)
    assert load_manifest(tmp_path / "cut") == manifest
    monkeypatch.setattr(shard_writing, "write_shard", None)
    assert stream(tmp_path / "cut") == manifest


def test_a_run_of_before_the_journal_is_continued(tmp_path, monkeypatch):
    stream(tmp_path / "whole")
    cut_after(tmp_path / "cut", monkeypatch, 4)
    save_json(tmp_path / "cut/manifest.json", load_manifest(tmp_path / "cut"))  # all in one, as it was
    (tmp_path / "cut/shards.jsonl").unlink()
    made = []
    write_shard = shard_writing.write_shard
    monkeypatch.setattr(
        shard_writing, "write_shard", lambda path, *rest: (made.append(path.name), write_shard(path, *rest))
    )
    stream(tmp_path / "cut")
    assert len(made) == 4
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_manifest_that_is_removed_takes_its_journal_with_it(tmp_path, monkeypatch):
    cut_after(tmp_path / "cut", monkeypatch, 6)
    (tmp_path / "cut/manifest.json").unlink()
    manifest = stream(tmp_path / "cut", seed=1)
    assert manifest["seed"] == 1
    assert manifest == load_manifest(tmp_path / "cut")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{\n", r"should hold a JSON object a line\. It is damaged"),
        (b"\xff\n", r"should hold a JSON object a line"),
        (b"7\n", r"file should be a shard's path below its folder\. Got '?7"),
        (b'{"file": "../a.npz", "rows": 1, "sha256": ""}\n', "file should be a shard's path below its folder"),
    ],
)
def test_a_damaged_journal_is_named(tmp_path, monkeypatch, line, message):
    cut_after(tmp_path / "cut", monkeypatch, 6)
    journal = tmp_path / "cut/shards.jsonl"
    journal.write_bytes(line + journal.read_bytes())
    with pytest.raises(RequestError, match=rf"shards\.jsonl: {message}"):
        stream(tmp_path / "cut")


def test_a_lost_shard_is_made_again(tmp_path):
    stream(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "shards/ape/part-00001.csv").unlink()
    stream(tmp_path)
    assert contents(tmp_path) == before | {"manifest.json": contents(tmp_path)["manifest.json"]}


def test_a_shard_that_was_altered_is_made_again_to_the_same_bytes(tmp_path):
    stream(tmp_path)
    before = contents(tmp_path)
    shard = tmp_path / "shards/ape/part-00001.csv"
    altered = bytearray(shard.read_bytes())
    altered[-2] ^= 1  # as long as before
    notes = []
    for content in (bytes(altered), altered[:100], b""):
        shard.write_bytes(content)
        stream_shards(NoiseModel(), SAMPLING, tmp_path, quiet=True, report=notes.append)
        assert shard.read_bytes() == before["shards/ape/part-00001.csv"]
    assert notes == [f"note: {shard} is not what manifest.json says, and is made again"] * 3


def test_a_copied_run_is_not_made_again(tmp_path, monkeypatch):
    stream(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy", copy_function=shutil.copyfile)  # with other times
    monkeypatch.setattr(shard_writing, "write_shard", None)
    stream(tmp_path / "copy")


@pytest.mark.parametrize(
    ("key", "value"), [("seed", 1), ("latent_std", 1.5), ("fingerprint", "1" * 64), ("label_values", [4, 8])]
)
def test_a_manifest_of_other_shards_is_refused(tmp_path, key, value):
    stream(tmp_path)
    save_json(tmp_path / "manifest.json", load_manifest(tmp_path) | {key: value})
    with pytest.raises(RequestError, match=rf"manifest\.json is of other shards .*\({key} differ\)"):
        stream(tmp_path)


def test_a_manifest_with_another_filter_is_refused(tmp_path):
    stream(tmp_path)
    with pytest.raises(RequestError, match=r"\(filter differ\)"):
        stream(tmp_path, keep=0.7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shards": [{}]}, r"file should be a shard's path below its folder. Got 'nothing'"),
        ({"shards": [{"file": "../a.npz", "rows": 1, "sha256": ""}]}, "file should be a shard's path below its folder"),
        ({"shards": [{"file": "/a.npz", "rows": 1, "sha256": ""}]}, "file should be a shard's path below its folder"),
        ({"shards": [{"file": "a.npz", "rows": 1, "sha256": ""}]}, "class should be a class of the manifest"),
        ({"shards": None}, "shards should be a list"),
        ({"class_names": ["ape"]}, "should have a label value for each class"),
        ({"complete": "yes"}, "complete should be true or false"),
        (
            {"filter": {"thresholds": {"ape": None}}},
            "filter should be an object whose thresholds are numbers",
        ),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path, change, message):
    stream(tmp_path)
    save_json(tmp_path / "manifest.json", json.loads((tmp_path / "manifest.json").read_text()) | change)
    with pytest.raises(RequestError, match=rf"manifest\.json: {message}"):
        stream(tmp_path)


def test_a_shard_does_not_depend_on_what_else_is_asked_for(tmp_path):
    stream(tmp_path / "both")
    stream(tmp_path / "one", class_size={"bee": 5}, format="npz")
    part = "shards/bee/part-00000.npz"
    assert (tmp_path / "one" / part).read_bytes() == (tmp_path / "both" / part).read_bytes()


def test_wider_latents_give_other_shards(tmp_path):
    stream(tmp_path / "narrow", filter="none")
    stream(tmp_path / "wide", filter="none", latent_std=2.0)
    assert load_manifest(tmp_path / "wide")["latent_std"] == 2.0
    narrow, wide = (
        read_shard(tmp_path / name / "shards/ape/part-00000.npz", (4, 4, 1))[0].astype(float)
        for name in ("narrow", "wide")
    )
    assert 1.2 < wide.std() / narrow.std() < 2


def test_classes_have_folders_of_their_own_whatever_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(NoiseModel, "class_names", ("Box", "box"))
    stream(tmp_path / "both", class_size={"Box": 5, "box": 5}, format="npz")
    manifest = stream(tmp_path / "one", class_size={"box": 5}, format="npz")
    assert [entry["file"] for entry in manifest["shards"]] == ["shards/box-2/part-00000.npz"]
    both, one = contents(tmp_path / "both"), contents(tmp_path / "one")
    assert both["shards/box-2/part-00000.npz"] == one["shards/box-2/part-00000.npz"]
    assert "shards/Box/part-00000.npz" in both


def test_another_models_shards_are_not_continued(tmp_path, monkeypatch):
    stream(tmp_path)
    monkeypatch.setattr(NoiseModel, "compute_hash", lambda self: "2" * 64)
    with pytest.raises(ValueError, match=r"of other shards than those .*\(model_hash differ\)"):
        stream(tmp_path)


def test_ranked_keeps_the_best_of_a_pool(tmp_path):
    chosen = {"class_size": {"ape": 10}, "shard_size": 10, "duplicate_distance": 0.0, "format": "npz"}
    manifest = stream(tmp_path / "ranked", filter="ranked", keep=0.25, **chosen)
    stream(tmp_path / "pool", filter="none", **chosen | {"class_size": {"ape": 40}, "shard_size": 40})
    pool, best = (
        read_shard(tmp_path / name / "shards/ape/part-00000.npz", (4, 4, 1))[0] for name in ("pool", "ranked")
    )
    scores = pool.mean(axis=(1, 2, 3))
    assert np.array_equal(best, pool[np.sort(np.argsort(-scores, kind="stable")[:10])])
    assert manifest["classes"]["ape"]["candidates"] == 40
    assert manifest["classes"]["ape"]["rejected"] == {"ranked": 30}
