import json

import pytest

from models.cluster import build_strategy, is_chief

CLUSTER = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{", "TF_CONFIG should be JSON"),
        ("[]", r"TF_CONFIG should be a JSON object. Got \[\] instead"),
        ({"cluster": ["a:1"]}, "cluster should be lists of addresses by task type"),
        ({"cluster": {"worker": "a:1"}}, "cluster should be lists of addresses by task type"),
        ({"cluster": {"worker": []}}, "cluster should be lists of addresses by task type"),
        ({"cluster": {"ps": ["a:1"]}}, "cluster should have the tasks chief, worker alone. Got ps"),
        ({"cluster": CLUSTER}, "task should be of a type of its cluster, worker. Got None"),
        ({"cluster": CLUSTER, "task": {"type": "chief", "index": 0}}, "its cluster, worker. Got 'chief'"),
        ({"cluster": CLUSTER, "task": {"type": "worker", "index": 2}}, r"in the range \[0, 2\), for worker. Got 2"),
        ({"cluster": CLUSTER, "task": {"type": "worker", "index": "0"}}, r"in the range \[0, 2\), for worker. Got '0'"),
    ],
)
@pytest.mark.parametrize("function", [is_chief, build_strategy])
def test_a_wrong_tf_config_is_named(monkeypatch, settings, message, function):
    monkeypatch.setenv("TF_CONFIG", settings if isinstance(settings, str) else json.dumps(settings))
    with pytest.raises(ValueError, match=message):
        function()


@pytest.mark.parametrize("settings", ["", "{}", '{"task": {"type": "worker", "index": 3}}'])
def test_without_a_cluster_this_host_is_alone(monkeypatch, settings):
    monkeypatch.setenv("TF_CONFIG", settings)
    assert is_chief()


@pytest.mark.parametrize(
    ("tasks", "task", "chief"),
    [
        (("worker",), ("worker", 0), True),
        (("worker",), ("worker", 1), False),
        (("chief", "worker"), ("chief", 0), True),
        (("chief", "worker"), ("worker", 0), False),
    ],
)
def test_one_host_writes(monkeypatch, tasks, task, chief):
    cluster = {name: ["localhost:1", "localhost:2"] for name in tasks}
    task = dict(zip(("type", "index"), task, strict=True))
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert is_chief() == chief


def test_the_strategy_is_the_same_one_at_each_call(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    strategy = build_strategy()
    assert strategy is build_strategy()
    assert strategy.num_replicas_in_sync == 1
