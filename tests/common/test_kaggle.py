from common.kaggle import default_out


def test_output_goes_to_kaggles_working_folder(tmp_path):
    assert str(default_out(root=tmp_path)) == "synthetic"
    (tmp_path / "working").mkdir()
    assert default_out(root=tmp_path) == tmp_path / "working" / "synthetic"
