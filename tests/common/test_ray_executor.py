"""Work on Ray's actors: the same bytes as of one process, whatever dies; every wrong request is one line."""

import os
import signal
import socket
import sys

import pytest

from common.errors import RequestError, RunError, SamplingError
from common.executors import open_executor
from common.ray_executor import RayExecutor
from common.run_options import WorkOptions
from synth.shard_writing import stream_shards
from tests.synth.test_shard_writing import SAMPLING, NoiseModel, contents

pytestmark = [pytest.mark.slow]
ray = pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-cluster.txt")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers can't import it


def ignore(text):
    pass


@pytest.fixture(scope="module")
def executor():
    """Two workers; this module starts Ray once."""
    with open_executor(WorkOptions(workers=2), 1, ignore) as opened:
        yield opened


class KilledOnce(NoiseModel):
    """Ends its own process by SIGKILL while the third shard is drawn, unless a file says that it has done so."""

    def __init__(self, mark):
        self.mark = mark
        self.driver = os.getpid()
        self.calls = 0

    def generate(self, latents, class_index):
        self.calls += 1
        if os.getpid() != self.driver and self.calls > 3 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(latents, class_index)


class OtherElsewhere(NoiseModel):
    """Draws other images in another process than the one that it was made in."""

    def __init__(self):
        self.driver = os.getpid()

    def generate(self, latents, class_index):
        return super().generate(latents + (os.getpid() != self.driver), class_index)


def write(folder, model, executor=None):
    sampling = SAMPLING | {"class_size": {"ape": 95, "bee": 25}, "format": "npz"}
    stream_shards(model, sampling, folder, quiet=True, executor=executor)
    return contents(folder)


def test_one_process_two_workers_and_two_of_which_one_is_killed_write_the_same_bytes(executor, tmp_path):
    whole = write(tmp_path / "serial", NoiseModel())
    assert len([name for name in whole if name.endswith(".npz")]) == 13
    assert write(tmp_path / "workers", NoiseModel(), executor) == whole
    mark = tmp_path / "killed"
    assert write(tmp_path / "killed-once", KilledOnce(mark), executor) == whole
    assert mark.exists()


def test_a_run_that_was_begun_by_one_process_is_continued_by_workers_and_the_other_way_round(executor, tmp_path):
    whole = write(tmp_path / "serial", NoiseModel())
    for first, second in ((None, executor), (executor, None)):
        folder = tmp_path / f"{first is None}"
        write(folder, NoiseModel(), first)
        for shard in sorted((folder / "shards/ape").iterdir())[::2]:
            shard.unlink()
        assert write(folder, NoiseModel(), second) == whole


def test_a_machine_that_draws_other_bytes_is_refused_by_name(executor, tmp_path):
    with pytest.raises(RequestError, match=rf"^{socket.gethostname()} should draw the images that the driver draws"):
        write(tmp_path, OtherElsewhere(), executor)


def fail(state, item):
    raise state(f"item {item}")


@pytest.mark.parametrize("kind", [RequestError, SamplingError, KeyError])
def test_what_a_worker_raises_is_raised_here_at_once(executor, kind):
    with pytest.raises(kind, match="item"):
        list(executor.map(lambda: kind, fail, range(5)))


def die(state, item):
    os._exit(1)


def test_work_of_which_every_worker_dies_is_given_up(executor):
    notes = []
    with pytest.raises(RunError, match="3 workers died of the same work"):
        list(RayExecutor(1, 1, notes.append).map(int, die, [0]))
    assert notes == ["note: a worker has died. Its work is done again by another one"] * 2


def test_a_worker_is_built_once_and_few_items_are_taken_at_a_time(executor):
    taken = []

    def take():
        for item in range(20):
            taken.append(item)
            yield item

    pairs = executor.map(os.getpid, lambda pid, item: (pid, item), take())
    first = next(pairs)
    assert len(taken) <= 5  # two workers, two items each, and one in place of the first result
    rest = list(pairs)
    assert sorted(item for _, item in [first, *rest]) == list(range(20))
    assert len({pid for pid, _ in [first, *rest]}) == 2
    assert os.getpid() not in {pid for pid, _ in rest}


def test_more_workers_than_there_is_room_for_are_refused(executor):
    message = r"--workers should be at most 0, .* with 3 threads .*Got 2 instead"
    with pytest.raises(RequestError, match=message), open_executor(WorkOptions(workers=2), 3, ignore):
        pass


def test_nothing_to_do_starts_no_worker(executor):
    assert list(executor.map(lambda: 1 / 0, fail, [])) == []
