from dataclasses import dataclass

import numpy as np
import pytest

from synth.figures import plot_samples, save_figure
from synth.options import SamplingOptions, SubsetOptions, option
from synth.web_report import describe_plan, escape_text, save_report, write_command
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
    monkeypatch.setattr("synth.web_report._MAX_BYTES", 10)
    save_report(tmp_path, "t", ["![a caption](samples.png)"], "c")
    assert '<a href="samples.png">a caption</a>' in (tmp_path / "report.html").read_text("utf-8")


def test_a_command_names_what_is_not_at_its_default():
    @dataclass(frozen=True, kw_only=True)
    class Options(SubsetOptions):
        fast: bool = option(False, "fast")
        arms: tuple[str, ...] = option(("a", "b"), "arms")
        keep: float = option(0.5, "keep")
        rounds: int = option(20, "rounds; 0: none")

    given = Options(data="my set", image_size=(28, 20), fast=True, arms=("b", "c"))
    command = write_command("augment.py reduced", given, more=["--recipe", "quick"])
    assert command == ("python augment.py reduced --recipe quick --data 'my set' --image-size 28,20 --fast --arms b c")
    assert write_command("x.py", Options()) == "python x.py"
    assert write_command("x.py", Options(rounds=0, keep=0.0)) == "python x.py --keep 0.0 --rounds 0"


def test_a_default_that_depends_on_the_environment_is_written_out(monkeypatch):
    monkeypatch.setenv("CLASS_SIZE", "70")
    assert write_command("x.py", SamplingOptions()) == "python x.py --class-size 70"


@needs_chromium
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_cut_off_in_a_browser(tmp_path, width):
    save_picture(tmp_path)
    columns = [f"a heading {k}" for k in range(30)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in (columns, ["---"] * 30, ["1.234 ± 0.567"] * 30))
    plan = {"data": "x" * 300}
    save_report(tmp_path, "t", [describe_plan(plan), table, "![a](samples.png)", "![b](samples.png)"], "word " * 200)
    assert look_at(tmp_path / "report.html", width) == {"images": [True, True], "cut": []}
