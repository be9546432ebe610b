from benchmarks.search_report import render_differences
from tests.tasks.test_study_report import build_results


def test_differences_are_to_the_baseline_seed_by_seed():
    results = build_results(gan=(0.7, 0.9), real=(0.5, 0.7, 0.9))
    table = render_differences(results, ["gan", "real"], "real", {"accuracy": ("share", 1), "train_images": ("%", 100)})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert rows[0] == ["variation", "share", "%", "seeds"]
    assert rows[2:] == [["gan", "0.80 (+0.20 ± 0.00)", "3000.00 (+0.00 ± 0.00)", "2"], ["real", "0.70", "3000.00", "3"]]
    alone = render_differences(results[results["arm"] == "gan"], ["gan"], "real", {"accuracy": ("share", 1)})
    assert "| gan       | 0.80  | 2     |" in alone
