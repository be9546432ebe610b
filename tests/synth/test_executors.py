import sys

import numpy as np
import pytest

from synth import ray_executor, worker_setup
from synth.errors import RequestError
from synth.executors import SerialExecutor, open_executor
from synth.options import WorkOptions


def open_and_list(**options):
    with open_executor(WorkOptions(**options), 1, print) as executor:
        return list(executor.map(lambda: [], lambda state, item: (state.append(item), len(state)), "abc"))


@pytest.mark.parametrize("options", [{}, {"workers": 1}])
def test_one_process_does_all_in_order_and_builds_once(options, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # its import would fail
    assert open_and_list(**options) == [(None, 1), (None, 2), (None, 3)]


def test_without_items_nothing_is_built():
    assert list(SerialExecutor().map(lambda: 1 / 0, divmod, [])) == []


def test_without_ray_one_line_names_the_file_of_requirements(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RequestError, match=r"need the package ray: pip install -r requirements-cluster\.txt$"):
        open_and_list(workers=2)


@pytest.mark.parametrize("address", ["", "here", "ray://host:10001", "host:port", "host:0", "host:99999", "a b:1"])
def test_a_malformed_address_is_one_line(address):
    with pytest.raises(RequestError, match=r"--cluster should be auto or HOST:PORT.*Got '"):
        ray_executor._check_address(address)


def test_a_cluster_that_does_not_answer_is_one_line():
    with pytest.raises(RequestError, match=r"--cluster 127\.0\.0\.1:9 can't be reached\..*Connection refused"):
        ray_executor._check_address("127.0.0.1:9")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.1", rf"^far should have numpy 0\.1, as the driver has\. Got {np.__version__} instead: pip install"),
        (None, rf"^far should have numpy None.*Got {np.__version__} instead"),
    ],
)
def test_a_worker_of_other_versions_is_refused_by_name(version, message):
    with pytest.raises(RequestError, match=message):
        worker_setup.open_order(b"", {"numpy": version}, "far")


def test_a_worker_without_a_package_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(worker_setup, "installed_versions", lambda: {"numpy": None})
    with pytest.raises(RequestError, match=r"^far should have numpy 2\.0, as the driver has\. Got none: pip install"):
        worker_setup.open_order(b"", {"numpy": "2.0"}, "far")


def test_a_worker_without_a_module_is_refused_by_name():
    order = b"cno_such_module\nf\n."  # a pickle of a function there
    with pytest.raises(RequestError, match=r"^far should have the module no_such_module, as the driver has"):
        worker_setup.open_order(order, {}, "far")
