import pytest

from common import memory

MACHINE = "MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:  3000 kB\n"


@pytest.mark.parametrize(
    ("machine", "limit", "free"),
    [
        (MACHINE, None, 3000 * 1024),
        (MACHINE, "max\n", 3000 * 1024),
        (MACHINE, "2000000\n", 1_500_000),
        (MACHINE, "400000\n", 0),
        ("MemFree:  100 kB\n", None, None),
        (None, None, None),
    ],
)
def test_the_free_memory_is_the_least_of_machine_and_container(tmp_path, monkeypatch, machine, limit, free):
    monkeypatch.setattr(memory, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    if machine:
        (tmp_path / "meminfo").write_text(machine)
    if limit:
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text("500000\n")
    assert memory.read_free_memory() == free
