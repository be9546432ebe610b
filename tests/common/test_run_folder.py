from pathlib import Path

from common.run_folder import ModelFolder, RunFolder


def test_a_runs_files_lie_where_they_always_did():
    run = RunFolder("out")
    files = (run.config, run.manifest, run.hashes, run.samples, run.curves, run.model.description)
    assert [path.as_posix() for path in files] == [
        "out/config.json",
        "out/manifest.json",
        "out/train_hashes.npy",
        "out/samples.png",
        "out/curves.png",
        "out/model/recipe.json",
    ]
    model = run.model
    assert model.density_ratio == Path("out/model/density_ratio.npy")
    pair = model.pair("3/member-1")
    files = (pair.network("generator"), pair.packed("filter"), pair.history, pair.checkpoint, pair.progress)
    assert [path.relative_to("out/model/3/member-1").as_posix() for path in files] == [
        "generator.keras",
        "filter.npz",
        "history.csv",
        "checkpoint",
        "progress",
    ]


def test_a_network_is_found_in_keras_format_before_packed(tmp_path):
    model = ModelFolder(tmp_path)
    assert model.find_network("filter") is None
    model.packed("filter").touch()
    assert model.find_network("filter") == tmp_path / "filter.npz"
    model.network("filter").touch()
    assert model.find_network("filter") == tmp_path / "filter.keras"
