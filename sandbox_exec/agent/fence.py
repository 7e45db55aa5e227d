"""Boxes whose agent keeps what it may do, and starts candidates by a thread that has given up all of it.

One lies on the machine itself, the other is a container that an engine has made for it.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasklake.sandbox_exec.agent import syscalls as linux
from tasklake.sandbox_exec.agent.cgroup import Cgroup
from tasklake.sandbox_exec.agent.folders import SCRATCH_MODE, keep_folder
from tasklake.sandbox_exec.agent.tree import end_all, end_descendants
from tasklake.sandbox_exec.agent.walls import (
    DEVICES,
    NOBODY,
    SYSTEM,
    Place,
    Spawn,
    forbid_privileges,
    restrict,
    set_limits,
)

# Without a user namespace, processes are counted per user over the whole machine, threads of a JVM beside us included.
SHARED_PROCESSES = 4096
# More than any kernel has.
MOST_PROCESSES = 1 << 22
# Who is served before all others; and who so late that an agent beside 256 of them still gets a tenth of a CPU.
FIRST, LATE = -20, 15
# The one file system of a container that candidates write to, beside its shared memory.
BOX = "/box"
# Where the folders of a box lie in a root that is not this machine's.
INHABITED = "/tmp"
# Where this machine keeps what it has filled for builds (sandbox_exec/caches.py).
FILLED = "/var/tmp"


def landlock(asked: Mapping[str, Any], off: set[str]) -> Place:
    """Candidates are started by a thread that has given up all that they must not have; the agent itself keeps it."""
    limits, root = asked["limits"], asked["root"]
    box = tempfile.mkdtemp(prefix="tasklake-box-")
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    # However many processes a candidate has made, this one and the agent are served, and can end them. Only root may.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    keep_folder(box)
    os.chmod(box, 0o711)
    if root:
        inhabit(root, box, asked["show"])
    linux.prctl(linux.SUBREAPER, 1)
    linux.prctl(linux.PDEATHSIG, 9)
    forget = os.open("/proc/self/clear_refs", os.O_WRONLY)
    if "dumpable" not in off:
        linux.prctl(linux.DUMPABLE, 0)
    work, scratch, program = (os.path.join(box, name) for name in ("work", "tmp", "prog"))
    user = NOBODY if os.geteuid() == 0 and "user" not in off else os.geteuid()
    os.mkdir(program, 0o755)
    for folder in (work, scratch):
        os.mkdir(folder, SCRATCH_MODE)
        if user != os.geteuid():
            os.chown(folder, user, user)
    os.chdir(work)
    if "limits" not in off:
        set_limits(limits, max(SHARED_PROCESSES, int(limits["processes"])))
    handle = os.open(program, os.O_RDONLY | os.O_DIRECTORY)
    place = Place(work, (work, scratch), program, handle, forget_fd=forget, user=user)
    place.priority = usual
    if root:
        place.root, place.below = root, (box, INHABITED)
    if fence(place, asked["show"], asked["build"], off):
        place.end = lambda: end_descendants(lambda: place.spawn(strike))
    return place


def inhabit(root: str, box: str, show: Sequence[str]) -> None:
    """The root holds the box's folder, processes and devices, as this process and all that it starts see it."""
    lacking = [path for path in show if not os.path.lexists(root + path)]
    try:
        linux.unshare(linux.NEWNS)
        linux.mount("", "/", "", linux.REC | linux.PRIVATE)
        linux.mount(box, root + INHABITED, "", linux.BIND)
        linux.mount("/proc", f"{root}/proc", "", linux.BIND)
        for name in DEVICES:
            linux.mount(f"/dev/{name}", f"{root}/dev/{name}", "", linux.BIND)
        if lacking:
            # Folders that builds read are filled there, and a root has no places for them.
            linux.mount("tmpfs", root + FILLED, "tmpfs", linux.NOSUID | linux.NODEV, "mode=755,size=1m")
        for path in lacking:
            os.makedirs(root + path)
            linux.mount(path, root + path, "", linux.BIND)
    except PermissionError:
        raise OSError("a root file system of its own is entered by namespaces, or by an agent that may mount") from None


def container(asked: Mapping[str, Any], off: set[str]) -> Place:
    """A container, made for this agent alone, is the box: its first process is this one, which nobody inside can end.

    What the engine holds is limited there (sandbox_exec/containers); inside it, candidates are fenced in all the same.
    Its root is what its image says.
    """
    limits = asked["limits"]
    if os.getpid() != 1:
        raise OSError("the agent is not the first process of its container")
    forget = os.open("/proc/self/clear_refs", os.O_WRONLY)
    if "dumpable" not in off:
        linux.prctl(linux.DUMPABLE, 0)
    work, scratch = f"{BOX}/work", f"{BOX}/tmp"
    for folder in (work, scratch):
        os.mkdir(folder, SCRATCH_MODE)
    os.chdir(work)
    if "limits" not in off:
        # Counted for the user over the whole machine, as no candidate's are here: the engine holds those.
        set_limits(limits, MOST_PROCESSES)
    handle = os.open("/prog", os.O_RDONLY | os.O_DIRECTORY)
    scratches, mounts = (work, scratch, "/dev/shm"), (BOX, "/dev/shm")
    place = Place(work, scratches, "/prog", handle, mounts=mounts, own_network=True, forget_fd=forget)
    # An engine gives a container one share of the machine, whatever is in it: only the agent comes before candidates.
    place.user, place.end, place.priority = os.geteuid(), end_all, LATE
    with contextlib.suppress(OSError):
        place.cgroup = Cgroup()
    fence(place, asked["show"], asked["build"], off)
    return place


def fence(place: Place, show: Sequence[str], build: bool, off: set[str]) -> bool:
    """Candidates start behind Landlock and the filter; true when they can signal those alone that they started."""
    bounds: list[bool] = []

    def give_up() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, place.priority)
        place.counter = linux.cpu_counter()
        if place.root:
            # This thread's root and working folder are its own from here on; the agent keeps the machine's.
            linux.unshare(linux.FS)
            os.chroot(place.root)
            os.chdir(place.seen(place.work))
        if place.user != os.geteuid():
            linux.become(place.user)
        if "capabilities" not in off:
            linux.renounce()
        forbid_privileges(off)
        readable = [*SYSTEM, *show, place.seen(place.program), "/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu"]
        writable = [*map(place.seen, place.scratch), *(f"/dev/{name}" for name in DEVICES)]
        if "landlock" not in off:
            bounds.append(linux.landlock(readable, writable) and bound())
        restrict(build, off, fenced=True)

    place.spawn = spawner(give_up)
    return any(bounds)


def bound() -> bool:
    """True when this thread cannot even signal the process that waits for the agent."""
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return True
    return False


def strike() -> int:
    """Whatever this thread may signal is ended: never to be called by one that is not bound."""
    os.kill(-1, signal.SIGKILL)
    return 0


def spawner(give_up: Callable[[], None]) -> Spawn:
    """Runs what it is given in one thread, which first gave up what `give_up` says; raises here what that raises."""
    asked: queue.SimpleQueue[Callable[[], int]] = queue.SimpleQueue()
    told: queue.SimpleQueue[int | Exception] = queue.SimpleQueue()

    def ready() -> int:
        give_up()
        return 0

    def serve() -> None:
        while True:
            try:
                told.put(asked.get()())
            # Whatever it is, the agent's own thread waits for it.
            except Exception as error:  # noqa: BLE001
                told.put(error)

    def spawn(start: Callable[[], int]) -> int:
        asked.put(start)
        got = told.get()
        if isinstance(got, Exception):
            raise got
        return got

    threading.Thread(target=serve, daemon=True).start()
    spawn(ready)
    return spawn
