"""The directory of a simulated data centre, and the process that it belongs to."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from homeostat.sim.standing.place import Place, Reached, Taken
from homeostat.sim.standing.process import StartFailed, end, start

REACHED = Reached("small", "https://127.0.0.1:1", ("host-1",), "127.64.0.0/16")
SERVES = """
import os, signal, sys
from pathlib import Path
from homeostat.sim.standing.place import Place, Reached
place = Place(Path(sys.argv[1]))
with place.run():
    place.tell(Reached("small", "https://127.0.0.1:1", ("host-1",), "127.64.0.0/16"), b"config")
    {before}
    os.write(int(sys.argv[-1]), b"ready\\n")
    signal.pause()
"""
IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def command(place: Place, program: str) -> list[str]:
    return [sys.executable, "-c", program, str(place.directory)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "small")


def test_a_place_that_was_never_used_is_run_by_nobody(place: Place) -> None:
    assert (place.runner(), place.reached(), place.is_used()) == (0, None, False)


def test_whoever_runs_it_is_found_and_how_it_is_reached_when_it_says_so(place: Place) -> None:
    with place.run():
        assert place.runner() == os.getpid()
        assert place.reached() is None
        place.tell(REACHED, b"config")
        assert place.reached() == REACHED
        assert place.kubeconfig.read_bytes() == b"config"
        assert place.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert (place.runner(), place.reached()) == (0, None)


def test_two_processes_cannot_run_one_place(place: Place) -> None:
    with place.run(), pytest.raises(Taken, match="another process"), place.run():
        pass


def test_what_an_earlier_process_left_is_not_believed(place: Place) -> None:
    with place.run():
        place.tell(REACHED, b"config")
    with place.run():
        assert place.reached() is None
        assert not place.kubeconfig.exists()


def test_a_process_that_serves_goes_on_until_it_is_ended(place: Place) -> None:
    assert start(place, command(place, SERVES.format(before="")), within_s=30) == REACHED
    runner = place.runner()
    assert runner not in (0, os.getpid())
    assert end(place, within_s=10) is True
    os.waitpid(runner, 0)
    assert not place.directory.exists()


def test_a_process_that_does_not_heed_is_killed(place: Place) -> None:
    start(place, command(place, SERVES.format(before=IGNORES)), within_s=30)
    runner = place.runner()
    assert end(place, within_s=0.05) is True
    assert os.WTERMSIG(os.waitpid(runner, 0)[1]) == signal.SIGKILL
    assert place.runner() == 0


def test_one_that_lets_go_of_its_place_and_goes_on_is_waited_for(place: Place) -> None:
    lingers = (
        "import atexit, time; atexit.register(time.sleep, 0.3); signal.signal(signal.SIGTERM, lambda *_: sys.exit())"
    )
    start(place, command(place, SERVES.format(before=lingers)), within_s=30)
    runner = place.runner()
    assert end(place, within_s=10) is True
    assert os.waitpid(runner, os.WNOHANG)[0] == runner


def test_a_process_that_ends_at_once_is_told_with_the_end_of_its_log(place: Place) -> None:
    with pytest.raises(StartFailed, match="it ended\n  no room") as told:
        start(place, [sys.executable, "-c", "raise SystemExit('no room')"], within_s=30)
    assert "Traceback" not in str(told.value)


def test_a_process_that_never_serves_is_given_up(place: Place) -> None:
    with pytest.raises(StartFailed, match="did not serve within"):
        start(place, [sys.executable, "-c", "import signal; signal.pause()"], within_s=0.05)


def test_ending_what_is_not_there_is_no_error(place: Place) -> None:
    assert end(place, within_s=1) is False


def test_how_one_that_has_ended_was_reached_is_known_until_it_runs_again(place: Place) -> None:
    with place.run():
        place.tell(REACHED, b"config")
    assert (place.reached(), place.last()) == (None, REACHED)
    with place.run():
        assert place.last() is None


def test_who_cannot_run_it_leaves_what_the_one_that_does_has_said(place: Place) -> None:
    with place.run():
        place.log.write_text("first\n")
        with pytest.raises(StartFailed):
            start(place, [sys.executable, "-c", "raise SystemExit('taken')"], within_s=30)
        assert place.log.read_text() == "first\ntaken\n"
    with place.run():
        assert place.log.read_text() == ""
