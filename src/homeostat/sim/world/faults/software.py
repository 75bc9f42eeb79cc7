"""Faults of what runs on a host: kubelet, containerd, memory, processes, clock."""

from __future__ import annotations

from homeostat.sim.world.faults.fault import A_YEAR_S, NOTHING, Fault, FaultError, Parameter, Scene, ailing
from homeostat.sim.world.hosts.ailing import Ail, End
from homeostat.sim.world.hosts.host import Process

_KILLED, _BUS_ERROR = 137, 135  # 128 and the signal
_NAME = "[a-z0-9]([-.a-z0-9]*[a-z0-9])?"
_POD = {
    "pod": Parameter(
        "",
        "namespace/name of the Pod that it hits; empty: by chance",
        form="namespace/name, or nothing",
        pattern=f"({_NAME}/{_NAME})?",
    )
}


def _candidates(scene: Scene) -> list[Process]:
    """Processes of the Pod that is named, or all of the host's. Raises FaultError where it runs no such Pod."""
    running, pod = list(scene.host.processes.values()), scene.text("pod")
    chosen = [each for each in running if pod in ("", each.pod)]
    if pod and not chosen:
        known = ", ".join(sorted({each.pod for each in running})) or "none"
        raise FaultError(
            f"pod: expected one that runs on {scene.host.name} ({known}), found {pod!r}", field="parameters.pod"
        )
    return chosen


def _victim(scene: Scene) -> Process | None:
    """One of them by chance; None where nothing runs."""
    chosen = _candidates(scene)
    return chosen[scene.centre.random.randrange(0, len(chosen))] if chosen else None


def _out_of_memory(scene: Scene) -> End:
    victim = _victim(scene)
    if victim is not None:
        scene.log(f"Out of memory: Killed process 4711 ({victim.container}) total-vm:8123456kB, anon-rss:7654321kB")
        victim.kill(_KILLED, "OOMKilled")
    return scene.host.ailments.begin(Ail.MEMORY_SHORT)


def _memory_errors(scene: Scene) -> End:
    if scene.text("severity") == "corrected":
        scene.log("{1}[Hardware Error]: event severity: corrected", "EDAC MC0: 1 CE memory read error on CPU_SrcID#0")
        return NOTHING
    scene.log("{1}[Hardware Error]: event severity: recoverable", "Memory failure: 0x3d5f2: recovery action: Recovered")
    victim = _victim(scene)
    if victim is not None:
        victim.kill(_BUS_ERROR, "Error")
    return NOTHING


def _crash(scene: Scene) -> End:
    victim = _victim(scene)
    if victim is not None:
        victim.kill(int(scene.number("code")), "Error")
    return NOTHING


FAULTS = (
    Fault(
        "kubelet-down",
        "Its kubelet does nothing; containers run on, and none is restarted.",
        "The kubelet is started; also by a boot.",
        ailing(Ail.KUBELET),
    ),
    Fault(
        "runtime-down",
        "containerd does nothing: its Node is not ready, and nothing starts.",
        "containerd is started; also by a boot.",
        ailing(Ail.RUNTIME),
    ),
    Fault(
        "kubelet-certificate-expired",
        "The API server does not know its kubelet any more; containers run on.",
        "The certificate is renewed.",
        ailing(Ail.SERVER),
    ),
    Fault(
        "pod-network-broken",
        "No Pod is given a network: its Node is not ready, and Pods that come wait.",
        "The network plugin works again.",
        ailing(Ail.POD_NETWORK),
    ),
    Fault(
        "node-out-of-memory",
        "The kernel kills a process for its memory, and the Node says MemoryPressure.",
        "There is memory again; also by a boot.",
        _out_of_memory,
        _POD,
        check=_candidates,
    ),
    Fault(
        "memory-errors",
        "The memory has errors: corrected ones are only told, fatal ones kill a process.",
        "By itself: each is told once.",
        _memory_errors,
        {**_POD, "severity": Parameter("corrected", "how bad", choices=("corrected", "fatal"))},
        check=_candidates,
        lasts=False,
    ),
    Fault(
        "container-crash",
        "A container ends at once with a code.",
        "Its kubelet restarts it.",
        _crash,
        {**_POD, "code": Parameter(2, "with which it ends", least=0, most=255)},
        check=_candidates,
        lasts=False,
    ),
    Fault(
        "too-many-files",
        "No file can be opened: nothing starts.",
        "Files are closed; also by a boot.",
        ailing(Ail.NO_FILES, says=("VFS: file-max limit 1048576 reached",)),
    ),
    Fault(
        "no-processes",
        "No process can be made: its Node says PIDPressure, and nothing starts.",
        "Processes end; also by a boot.",
        ailing(Ail.NO_PIDS, says=("cgroup: fork rejected by pids controller in /kubepods.slice",)),
    ),
    Fault(
        "clock-off",
        "Its clock is ahead, or behind: what its kubelet tells bears wrong times.",
        "The clock is right again.",
        ailing(Ail.CLOCK, amount="seconds"),
        {"seconds": Parameter(60.0, "ahead; less than nothing is behind", least=-A_YEAR_S, most=A_YEAR_S)},
    ),
    Fault(
        "too-hot",
        "Its processors are slowed down: everything takes longer.",
        "It is cool again.",
        ailing(
            Ail.HEAT,
            amount="times",
            says=("CPU0: Core temperature is above threshold, cpu clock is throttled (total events = 1)",),
        ),
        {"times": Parameter(3.0, "how many times longer", least=1)},
    ),
)
