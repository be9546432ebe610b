from functools import partial

import pytest

from common.errors import RequestError, RunError, SamplingError
from tasks.study_cells import (
    CURVES,
    RESULTS,
    Cell,
    list_unfinished,
    load_table,
    raise_failures,
    run_one_by_one,
    run_study,
)

CELLS = [Cell(setting, arm, seed) for setting in ("100", "300") for seed in (0, 1) for arm in ("real", "gan")]


def each(run_cell):
    return partial(run_one_by_one, run_cell)


def run_cell(cell):
    value = CELLS.index(cell) / 3
    return {"accuracy": value}, [{"epoch": 1, "accuracy": value / 2}, {"epoch": 2, "accuracy": value}]


def test_every_cell_has_its_row_and_its_curve(tmp_path):
    results, curves, failed = run_study(CELLS, tmp_path, each(run_cell))
    assert results["accuracy"].tolist() == [round(index / 3, 6) for index in range(8)]
    assert results["setting"].tolist() == ["100"] * 4 + ["300"] * 4
    assert len(curves) == 16
    assert failed == {}
    assert load_table(tmp_path / RESULTS).equals(results)


def test_a_killed_study_continues_and_repeats_nothing(tmp_path):
    calls = []

    def killed(cell):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(cell)
        return run_cell(cell)

    with pytest.raises(KeyboardInterrupt):
        run_study(CELLS, tmp_path, each(killed))
    before = (tmp_path / RESULTS).read_text()
    assert list_unfinished(CELLS, tmp_path, {}) == CELLS[3:]
    assert list_unfinished(CELLS, tmp_path, {"study": {"seed": 1}}) == CELLS
    again = []
    results, curves, _ = run_study(CELLS, tmp_path, each(lambda cell: again.append(cell) or run_cell(cell)))
    assert again == CELLS[3:]
    assert (tmp_path / RESULTS).read_text().startswith(before)
    assert (len(results), len(curves)) == (8, 16)
    run_study(CELLS, tmp_path, each(lambda cell: pytest.fail("nothing is left to run")))


def test_more_cells_extend_a_study_and_fewer_are_a_part_of_it(tmp_path):
    run_study(CELLS[:3], tmp_path, each(run_cell))
    again = []
    results, curves, _ = run_study(CELLS[2:5], tmp_path, each(lambda cell: again.append(cell) or run_cell(cell)))
    assert again == CELLS[3:5]
    assert results["accuracy"].tolist() == [round(index / 3, 6) for index in (2, 3, 4)]
    assert len(curves) == 6
    assert len(load_table(tmp_path / RESULTS)) == 5


def test_a_curve_without_its_result_is_replaced(tmp_path):
    run_study(CELLS[:1], tmp_path, each(run_cell))
    (tmp_path / RESULTS).unlink()
    _, curves, _ = run_study(CELLS[:1], tmp_path, each(run_cell))
    assert len(curves) == 2
    assert len(load_table(tmp_path / CURVES)) == 2


def test_a_cell_that_fails_does_not_stop_the_others(tmp_path):
    def fail_once(cell):
        if cell == CELLS[1]:
            raise SamplingError("the filter accepted nothing")
        return run_cell(cell)

    results, _, failed = run_study(CELLS, tmp_path, each(fail_once))
    assert len(results) == 7
    with pytest.raises(RunError, match=r"1 cells failed.*100, gan, seed 0: the filter accepted nothing"):
        raise_failures(failed)
    assert list_unfinished(CELLS, tmp_path, {}) == [CELLS[1]]
    assert len(run_study(CELLS, tmp_path, each(run_cell))[0]) == 8
    raise_failures({})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"should be a CSV table. \(No columns to parse from file\)"),
        (b"\xff\xfe\x00\x01", "should be a CSV table"),
        (b"setting,arm,accuracy\n100,real,1\n", "It lacks seed"),
        (b"setting,arm,seed\n100,real,0\n", "It lacks accuracy"),
        (b"setting,arm,seed,accuracy\n100,real,zero,1\n", "should be a CSV table"),
        (b"setting,arm,seed,accuracy\n100,real,0,1,2\n", "should be a CSV table"),
        (b"setting,arm,seed,accuracy\n,real,0,1\n", "should have a text in each row of setting"),
        (b"setting,arm,seed,accuracy\n100,real,0,good\n", "should have numbers in 'accuracy'"),
        (b"setting,arm,seed,accuracy\n100,real,0,1\n100,real,0,1\n", "Got two of 100, real, 0"),
    ],
)
def test_a_damaged_table_says_what_to_do(tmp_path, content, message):
    run_study(CELLS[:1], tmp_path, each(run_cell))
    (tmp_path / RESULTS).write_bytes(content)
    with pytest.raises(RequestError, match=rf"results\.csv: .*{message}.*Restore it, or remove"):
        run_study(CELLS, tmp_path, each(run_cell), columns={RESULTS: ["accuracy"]})


def test_results_without_their_curves_are_refused(tmp_path):
    run_study(CELLS[:1], tmp_path, each(run_cell))
    (tmp_path / CURVES).unlink()
    with pytest.raises(RequestError, match=r"curves\.csv: should have the cells of results\.csv.*or remove results"):
        run_study(CELLS, tmp_path, each(run_cell))
    (tmp_path / RESULTS).unlink()
    assert len(run_study(CELLS, tmp_path, each(run_cell))[0]) == 8


def test_cells_that_finish_in_another_order_are_in_their_order(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    backwards = run_study(CELLS, tmp_path / "a", lambda cells: each(run_cell)(cells[::-1]))
    in_order = run_study(CELLS, tmp_path / "b", each(run_cell))
    for there, here in zip(backwards[:2], in_order[:2], strict=True):
        assert there.reset_index(drop=True).equals(here.reset_index(drop=True))
