import numpy as np
import pytest

from common.figures import plot_samples, save_figure
from common.web_report import describe_plan, escape_text, save_report
from tests.browser import look_at, needs_chromium


def save_picture(folder, name="samples.png"):
    save_figure(folder / name, plot_samples({"cat": np.zeros((3, 8, 8, 1), np.uint8)}))


def test_names_stand_in_the_page_as_they_are(tmp_path):
    name = "a|b <i>*x*_y_`z`</i> & [1](2)"
    table = f"| class | images |\n| --- | --- |\n| {escape_text(name)} | 3 |"
    save_report(tmp_path, "<b>title</b>", [describe_plan({"data": name}), table], 'python x.py --data "a b"')
    page = (tmp_path / "report.html").read_text("utf-8")
    shown = "a|b &lt;i&gt;*x*_y_`z`&lt;/i&gt; &amp; [1](2)"
    assert f"<strong>data</strong>: {shown}" in page
    assert f"<td>{shown}</td>" in page
    assert "<h1>&lt;b&gt;title&lt;/b&gt;</h1>" in page
    assert "<i>" not in page


def test_figures_are_inside_up_to_a_size(tmp_path, monkeypatch):
    save_picture(tmp_path)
    save_report(tmp_path, "t", ["![a caption](samples.png)"], "c")
    assert (tmp_path / "report.html").read_text("utf-8").count('src="data:image/png;base64,') == 1
    monkeypatch.setattr("common.web_report._MAX_BYTES", 10)
    save_report(tmp_path, "t", ["![a caption](samples.png)"], "c")
    assert '<a href="samples.png">a caption</a>' in (tmp_path / "report.html").read_text("utf-8")


@needs_chromium
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_cut_off_in_a_browser(tmp_path, width):
    save_picture(tmp_path)
    columns = [f"a heading {k}" for k in range(30)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in (columns, ["---"] * 30, ["1.234 ± 0.567"] * 30))
    plan = {"data": "x" * 300}
    save_report(tmp_path, "t", [describe_plan(plan), table, "![a](samples.png)", "![b](samples.png)"], "word " * 200)
    assert look_at(tmp_path / "report.html", width) == {"images": [True, True], "cut": []}
