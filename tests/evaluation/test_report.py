from dataclasses import replace

import pytest

from common.web_report import render_table
from evaluation.report import find_headline, find_verdicts, find_warnings, render_report, render_scores
from evaluation.result import FeatureSpace, Opinions, RealSide
from evaluation.scores import Distance, Score
from evaluation.sides import Leaks
from tests.evaluation.builders import (
    build_class,
    build_evaluation,
    build_floor,
    build_memorisation,
    build_run,
    build_scores,
)


def read_rows(table):
    """{first cell: the others} of a Markdown table."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_tables_are_markdown():
    assert render_table(["a", "b"], [[1, "long"]]) == "| a | b |\n| --- | --- |\n| 1 | long |"
    assert render_table(["a"], [["long"]], aligned=True) == "| a    |\n| ---- |\n| long |"


def test_the_table_has_every_measure_of_the_runs_and_of_the_floor():
    scores = build_scores(frechet=Distance(2.0, 0.25), kernel=Distance(0.00123, None), recall=Score(None, None))
    runs = {"mine": build_run(scores=scores, images=200, memorisation=build_memorisation(ratio=0.5, near_share=0.031))}
    rows = read_rows(render_scores(build_evaluation(runs)))
    assert rows[""] == ["mine", "floor (real)"]
    assert rows["images (against 100 real)"] == ["100", "100"]
    assert rows["frechet ↓"] == ["2.000 ± 0.250", "1.000 ± 0.100"]
    assert rows["kernel ↓"] == ["0.00123", "0.90000 ± 0.01000"]
    assert rows["recall ↑"] == ["-", "0.900 ± 0.010"]
    assert rows["frechet, all images ↓"] == ["1.500 (200)", "not known"]
    assert rows["nearest training image, ratio"] == ["0.50", "1 expected"]
    assert rows["nearer than 99 % of real"] == ["3.1%", "1 % expected"]
    assert "frechet, extrapolated ↓" not in rows


def test_rows_that_say_nothing_are_left_out_and_asked_ones_shown():
    floor = build_floor(frechet_infinity=0.25)
    rows = read_rows(render_scores(build_evaluation({"mine": build_run(frechet_infinity=0.5)}, floor=floor)))
    assert rows["frechet, extrapolated ↓"] == ["0.500", "0.250"]
    assert "frechet, all images ↓" not in rows  # these are all
    rows = read_rows(render_scores(build_evaluation({"mine": build_run(images=101, frechet_all=None)})))
    assert rows["frechet, all images ↓"] == ["other proportions", "not known"]


def test_the_report_has_the_classes_and_the_second_opinion():
    run = build_run(cross_check={"sliced_wasserstein": Opinions(0.5, 0.25)})
    text = render_report(build_evaluation({"mine": run}, warnings=["note: a"], verdicts=["mine: b"]))
    assert text.startswith("# Evaluation\n\nReal images: apes (abcdef012345), 100 of its test part.\nFeatures: pixels")
    assert "- note: a\n- mine: b\n" in text
    classes = read_rows(text.partition("## mine, class by class")[2].partition("##")[0])
    values = ["50", "1.000", "0.90000", *["0.900"] * 6]
    assert classes["ape"] == [*values, "1.00", "0.0%"]
    assert classes["floor"] == [*values, "", ""]
    assert text.endswith("| mine | sliced wasserstein | 0.5  | 0.25   |\n")
    assert "Second opinion" not in render_report(build_evaluation({"mine": build_run()}))


def test_each_run_is_compared_with_the_floor():
    scores = build_scores(frechet=Distance(2.0, None), recall=Score(None, None))
    run = build_run(
        scores=scores, collapsed=["ape", "bee"], memorisation=build_memorisation(near_share=None, held_out_images=10)
    )
    evaluation = build_evaluation({"mine": run}, failed={"small": "training diverged"})
    assert find_verdicts(evaluation) == [
        "mine: the Frechet distance is 2.0 times that of as many real images; precision 0.90 of the floor's 0.90; "
        "recall not known; coverage 0.90 of the floor's 0.90.",
        "mine: collapsed, hardly any variety in: ape, bee.",
        "mine: memorisation: too few to say: 0 of 100 images are exact copies of a training image; 100 images are "
        "needed, and as many held-out real ones, of which there are 10.",
        "small: training diverged",
    ]


def test_the_kernel_distance_decides_where_a_class_has_few_real_images():
    few = build_floor(classes={"ape": build_class(real_images=799)})
    runs = {
        name: build_run(scores=build_scores(kernel=Distance(value, 0.01), frechet=Distance(1 - value, 0.001)))
        for name, value in (("a", 0.05), ("b", 0.15))
    }
    evaluation = build_evaluation(runs, floor=few)
    assert find_headline(evaluation) == "kernel"
    assert find_headline(build_evaluation(runs)) == "frechet"
    sentences = find_verdicts(evaluation)
    start = "a: the kernel distance is 0.05000 ± 0.01000, that of as many real images 0.90000 ± 0.01000; precision"
    assert sentences[0].startswith(start)
    assert sentences[-1].startswith("a won: its kernel distance is lower than that of b by 0.10000 ± 0.01414")
    assert find_verdicts(build_evaluation(runs))[-1].startswith("b won: its Frechet distance")
    assert any("a class has fewer than 800 real images" in line for line in find_warnings(evaluation))
    assert list(read_rows(render_scores(evaluation)))[3] == "kernel ↓"


def test_what_training_images_tell_stands_beside_the_rest():
    found = build_memorisation(near_share=0.5, memorised=True, images=1000, held_out_images=900)
    run = build_run(memorisation_in_features=found, likelihood_divergence=3.456)
    evaluation = build_evaluation({"mine": run})
    rows = read_rows(render_scores(evaluation))
    assert rows["likelihood divergence ↓"] == ["3.46", "0 by definition"]
    assert rows["the same in features"] == ["50.0%", "1 % expected"]
    assert find_verdicts(evaluation)[-1] == (
        "mine: memorised in features among 400 training images: 50.0% are nearer to one than all but 1 % of 900 "
        "held-out real images are."
    )


def test_what_saw_other_pictures_is_marked():
    runs = {"mine": build_run(), "other": build_run(pretrained_features="MobileNetV2")}
    evaluation = build_evaluation(runs)
    assert [cell.strip() for cell in render_scores(evaluation).splitlines()[0].split("|")[2:4]] == ["mine", "other *"]
    (warning,) = (text for text in find_warnings(evaluation) if text.startswith("*"))
    assert "other: its GAN saw images through MobileNetV2, which was trained on other pictures" in warning


def test_variety_is_not_judged_below_35_images_of_a_class():
    classes = {"ape": build_class(compared=34), "bee": build_class(compared=35), "cow": build_class(real_images=34)}
    verdicts = find_verdicts(build_evaluation({"mine": build_run(classes=classes)}))
    assert verdicts[1] == (
        "mine: variety: too few to say of ape, cow: 35 images of a class are needed, and as many real ones."
    )


def test_without_classes_their_tables_are_left_out_and_the_reason_is_said():
    evaluation = build_evaluation({"mine": build_run()}, without_classes="mine: no folders", notes=["note: x"])
    assert find_warnings(evaluation) == ["without classes: mine: no folders.", "note: x"]
    assert "class by class" not in render_report(evaluation)
    assert "of the floor's" not in render_report(evaluation)  # sentences are those that were found
    few = replace(evaluation, features=FeatureSpace("pixels", "pixels", 6), notes=[])
    assert find_warnings(few) == ["without classes: mine: no folders."]


def test_names_do_not_break_the_markdown():
    run = build_run(classes={"a|b": build_class(memorisation=build_memorisation())})
    floor = build_floor(classes={"a|b": build_class()})
    evaluation = build_evaluation({"x_*y*": run}, floor=floor, data="my_*set*", verdicts=["x_*y*: _good_"])
    text = render_report(evaluation)
    assert r"Real images: my\_\*set\* (" in text
    assert r"| x\_\*y\* " in text
    assert r"- x\_\*y\*: \_good\_" in text
    assert r"## x\_\*y\*, class by class" in text
    assert r"| a\|b " in text
    assert "| x_*y* " in render_scores(evaluation)  # for a terminal


@pytest.mark.parametrize(
    ("distances", "sentence"),
    [
        ([(2.0, 0.3), (1.0, 0.4)], "b won: its Frechet distance is lower than that of a by 1.000 ± 0.500"),
        ([(1.4, 0.3), (1.0, 0.4)], "no winner: b and a differ by 0.400"),
        ([(1.5, 0.3), (1.0, 0.4)], "no winner: b and a differ by 0.500"),
        ([(1.0, None), (2.0, 0.1)], "a has the lowest Frechet distance, by 1.000 to b; no interval is known."),
    ],
)
def test_only_a_difference_beyond_its_interval_has_a_winner(distances, sentence):
    runs = {name: build_run(*distance) for name, distance in zip("ab", distances, strict=True)}
    assert find_verdicts(build_evaluation(runs))[-1].startswith(sentence)


def test_warnings_name_small_samples_and_negative_kernel_distances():
    run = build_run()
    assert find_warnings(build_evaluation({"a": run})) == []
    negative = replace(run, scores=build_scores(kernel=Distance(-0.1, None)))
    assert find_warnings(build_evaluation({"a": negative}, features=FeatureSpace("pixels", "pixels", 11))) == [
        "warning: 100 images for 11 dimensions: below ten times as many, the Frechet distance is too large, and only "
        "comparable at this number of images (the floor is).",
        "note: the kernel distance is an unbiased estimate: where it is near 0, it can be negative.",
    ]
    (warning,) = find_warnings(build_evaluation({"a": run}, features=FeatureSpace("pixels", "pixels", 6)))
    assert warning.startswith("note: the classes have fewer")


def test_notes_and_what_was_chosen_are_warned_of():
    asked = {"settings": {"fid_infinity": "True"}, "notes": ["note: x"], "real": RealSide("validation", 100)}
    assert find_warnings(build_evaluation({"a": build_run()}, **asked)) == [
        "note: x",
        "note: 100 images are too few to extrapolate the Frechet distance.",
        "note: GANs are chosen on validation: against that part, the scores are too good.",
    ]
    traced = build_floor(sizes=[10], frechet_of_sizes=[1.0], frechet_infinity=0.5)
    assert len(find_warnings(build_evaluation({"a": build_run()}, floor=traced, **asked))) == 2


def test_leaks_are_marked_and_counted():
    kept = build_evaluation({"a": build_run()}, leaks=Leaks(100, 7, True))
    assert find_warnings(kept) == ["LEAKED: 7 of 100 real images were trained on."]
    assert render_report(kept).startswith("# Evaluation: LEAKED\n")
    left_out = replace(kept, leaks=Leaks(100, 7, False))
    assert find_warnings(left_out) == ["note: 7 of 100 real images were trained on, and left out."]
    assert render_report(left_out).startswith("# Evaluation\n")
