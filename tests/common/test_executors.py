import json
import pickle
import sys

import numpy as np
import pytest

from common import executors, ray_executor, worker_setup
from common.errors import RequestError
from common.executors import SerialExecutor, check_work, choose_threads, describe_work, list_notes, open_executor
from common.run_options import WorkOptions


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
        check_work(WorkOptions(workers=2))


@pytest.mark.parametrize("address", ["", "here", "ray://host:10001", "host:port", "host:0", "host:99999", "a b:1"])
def test_a_malformed_address_is_one_line(address):
    with pytest.raises(RequestError, match=r"--cluster should be auto or HOST:PORT.*Got '"):
        check_work(WorkOptions(cluster=address))


def test_a_cluster_that_does_not_answer_is_one_line():
    with pytest.raises(RequestError, match=r"--cluster 127\.0\.0\.1:9 can't be reached\..*Connection refused"):
        ray_executor.check_address("127.0.0.1:9")


@pytest.mark.parametrize("options", [{"workers": 2}, {"cluster": "auto"}])
def test_workers_on_one_of_several_hosts_are_refused(options, monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda name: True)  # Ray need not be installed
    check_work(WorkOptions(**options))
    task = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    check_work(WorkOptions())
    with pytest.raises(RequestError, match="^--workers and --cluster are for one driver, TF_CONFIG is for hosts"):
        check_work(WorkOptions(**options))


def test_a_malformed_tf_config_is_refused_before_anything_starts(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(RequestError, match="^TF_CONFIG should be JSON"):
        check_work(WorkOptions())


@pytest.mark.parametrize(
    ("workers", "threads", "chosen"), [(None, None, 8), (2, None, 4), (3, None, 2), (9, None, 1), (2, 3, 3)]
)
def test_workers_share_the_cores(workers, threads, chosen, monkeypatch):
    monkeypatch.setattr(executors, "count_cores", lambda: 8)
    assert choose_threads(WorkOptions(workers=workers, threads=threads)) == chosen


def test_a_plan_names_the_workers():
    assert describe_work(WorkOptions(), 2) == {}
    assert describe_work(WorkOptions(workers=2), 1) == {"workers": "2 workers on this machine, 1 thread each"}
    text = "as many workers as there is room for on the cluster auto, 3 threads each"
    assert describe_work(WorkOptions(cluster="auto"), 3) == {"workers": text}


@pytest.mark.parametrize(
    ("options", "free", "notes"),
    [
        ({"workers": 2}, 2_000_000_000, []),
        ({"workers": 2}, None, []),
        ({"cluster": "auto", "workers": 9}, 0, []),
        ({}, 0, []),
        ({"workers": 9}, None, ["note: 9 workers of 1 threads each share 8 cores"]),
        (
            {"workers": 3},
            2_000_000_000,
            ["note: 3 workers may take 2.7 GB of memory. 2.0 GB are free: fewer are safer"],
        ),
    ],
)
def test_workers_that_are_too_many_for_cores_or_memory_are_noted(options, free, notes, monkeypatch):
    monkeypatch.setattr(executors, "count_cores", lambda: 8)
    monkeypatch.setattr(executors, "read_free_memory", lambda: free)
    work = WorkOptions(**options)
    assert list_notes(work, choose_threads(work)) == notes


@pytest.mark.parametrize("options", [{"workers": 2}, {"cluster": "auto"}])
def test_gpus_are_of_one_process(options):
    check_work(WorkOptions(gpus=2))
    assert describe_work(WorkOptions(gpus=2), 1) == {"GPUs": "2, which share every batch"}
    with pytest.raises(RequestError, match="--gpus are those of one process, and each worker has one: leave it out"):
        check_work(WorkOptions(gpus=2, **options))


def node(name, **resources):
    return {"NodeManagerHostname": name, "Resources": resources}


def test_workers_have_a_gpu_each_where_there_are_any():
    plain, card = node("plain", CPU=8.0), node("card", CPU=8.0, GPU=2.0)
    assert ray_executor.choose_workers([plain], WorkOptions(workers=3), 2) == (3, 0)
    assert ray_executor.choose_workers([plain], WorkOptions(cluster="auto"), 2) == (4, 0)
    assert ray_executor.choose_workers([plain, card], WorkOptions(cluster="auto"), 2) == (2, 1)
    message = (
        r"^--workers should be at most 2, .* 2 threads and a GPU each \(plain: 8 cores, card: 8 cores, 2 GPUs\)\. Got 3"
    )
    with pytest.raises(RequestError, match=message):
        ray_executor.choose_workers([plain, card], WorkOptions(workers=3), 2)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.1", rf"^far should have numpy 0\.1, as the driver has\. Got {np.__version__} instead: pip install"),
        (None, rf"^far should have numpy None.*Got {np.__version__} instead"),
    ],
)
def test_a_worker_of_other_versions_is_refused_by_name(version, message):
    with pytest.raises(RequestError, match=message):
        worker_setup.open_order(b"", b"", {"numpy": version}, "far")


def test_a_worker_without_a_package_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(worker_setup, "installed_versions", lambda: {"numpy": None})
    with pytest.raises(RequestError, match=r"^far should have numpy 2\.0, as the driver has\. Got none: pip install"):
        worker_setup.open_order(b"", b"", {"numpy": "2.0"}, "far")


def test_a_worker_without_a_module_is_refused_by_name():
    order = b"cno_such_module\nf\n."  # a pickle of a function there
    with pytest.raises(RequestError, match=r"^far should have the module no_such_module, as the driver has"):
        worker_setup.open_order(pickle.dumps(int), order, {}, "far")
