"""The walls around candidates: a box of namespaces, and on every level limits and a filter; fence.py has the others.

Each wall has a name and can be left out by that name, so that a test can show what it is that stops an attack.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasklake.sandbox_exec.agent import syscalls as linux
from tasklake.sandbox_exec.agent.cgroup import Cgroup
from tasklake.sandbox_exec.agent.filter import filter_program
from tasklake.sandbox_exec.agent.folders import SCRATCH_MODE
from tasklake.sandbox_exec.agent.tree import end_all, end_descendants
from tasklake.sandbox_exec.agent.zygote import Zygote, started

# Whom a candidate is inside a box of namespaces, and whom a root's candidate is outside of it.
INSIDE, NOBODY = 1000, 65534
# What a program of the system needs; nothing of the users' files, and never the lake.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt")
DEVICES = ("null", "zero", "full", "random", "urandom")
# A box is built on top of one of these: the first that exists, hidden by the box from itself alone.
GROUNDS = ("/tmp", "/mnt", "/var", "/home")
NAMESPACES = linux.NEWNS | linux.NEWUTS | linux.NEWIPC | linux.NEWPID | linux.NEWNET
# Namespaces that a test can leave out.
SWITCHES = {"network": linux.NEWNET, "processes": linux.NEWPID, "ipc": linux.NEWIPC}
# Many small files are as good as a large one for filling memory: a page is counted for each.
INODE_BYTES = 4096
# However small a disk is, a program may have this many files.
LEAST_NAMES = 1024
# The kernel's own end of an endless program whose agent was killed: far enough for the agent itself, which is counted
# as well, and renewed long before.
SPARE_CPU_S = 60

# Processes that are no candidate's and are counted all the same: the agent, and with a zygote that one and the first
# process of a run.
OWN_AND_ZYGOTE = 3

Spawn = Callable[[Callable[[], int]], int]


@dataclass
class Place:
    """Where candidates run: their folders, the folder of their program, how one is started and how all are ended."""

    work: str
    scratch: tuple[str, ...]
    program: str
    program_fd: int
    # The file systems that hold the folders to write to, where those are memory.
    mounts: tuple[str, ...] = ()
    # The network is the box's own.
    own_network: bool = False
    spawn: Spawn = lambda start: start()
    # Tells how much CPU time those took.
    end: Callable[[], float] = end_descendants
    # Written to, it makes the kernel forget how large this process has been.
    forget_fd: int = -1
    # Counts the CPU time of all candidates, where the kernel lends such a counter.
    counter: int = -1
    # Counts it as well, and who was ended for want of memory, where the box is a container.
    cgroup: Cgroup | None = None
    # Whose candidates are, as this process sees it.
    user: int = -1
    # How late they are served where others wait as well, if they are started by a thread of their own.
    priority: int = 0
    # A runtime that is forked for each run, where there is one.
    zygote: Zygote | None = None
    # What candidates have for their root in place of this process's own.
    root: str = ""
    # Where their folders lie, as this process names it and as they do.
    below: tuple[str, str] = ("", "")
    # Walls left out.
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """The folders to write to are held open, for nothing else sets their times; each with its size while empty."""
        handles = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in self.scratch]
        self.held = [(path, each, os.fstat(each).st_size) for path, each in zip(self.scratch, handles, strict=True)]

    def seen(self, path: str) -> str:
        """A path of theirs as candidates name it."""
        outside, inside = self.below
        return inside + path.removeprefix(outside)


def namespaces(asked: Mapping[str, Any], off: set[str]) -> Place:
    """Returns in the first process of a fresh box; the process that called waits for its end, and ends then."""
    limits = asked["limits"]
    wanted = NAMESPACES & ~sum(flag for name, flag in SWITCHES.items() if name in off)
    privileged = os.geteuid() == 0
    if privileged:
        # Mounted by root, the box shows toolchains that only root can reach, and nobody inside can undo it.
        linux.unshare(wanted)
    else:
        own_users(wanted)
    keep_first_process()
    linux.prctl(linux.SUBREAPER, 1)
    root = asked["root"]
    folders = {path: root + path for path in SYSTEM} | {path: beside(root, path) for path in asked["show"]}
    place = furnish(folders, limits, off)
    place.counter = linux.cpu_counter()
    if os.getpid() == 1:
        place.end = end_all
    if privileged and "user" not in off:
        be_nobody()
    place.user = os.geteuid()
    if "limits" not in off:
        set_limits(limits, int(limits["processes"]) + (OWN_AND_ZYGOTE if asked["zygote"] else 1))
    if asked["zygote"]:
        # It makes namespaces, which nobody may who is started later.
        place.zygote, place.end = started(place, asked["zygote"], off), lambda: 0.0
    place.forget_fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
    # After the last change of user, which would take this away again.
    linux.prctl(linux.PDEATHSIG, 9)
    if "dumpable" not in off:
        linux.prctl(linux.DUMPABLE, 0)
    if "capabilities" not in off:
        linux.renounce()
    restrict(asked["build"], off)
    return place


def be_nobody() -> None:
    """This process is nobody's, in a user namespace where one can be made: processes are counted per namespace."""
    linux.become(NOBODY)
    # Who changes his user may not write his own map otherwise.
    linux.prctl(linux.DUMPABLE, 1)
    with contextlib.suppress(OSError):
        own_users(0)


def own_users(wanted: int) -> None:
    """A user namespace, with others, whose one user is whoever this process was outside of it, and not root inside."""
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.NEWUSER | wanted)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{INSIDE} {user} 1")
    write("/proc/self/gid_map", f"{INSIDE} {group} 1")
    os.setresgid(INSIDE, INSIDE, INSIDE)
    os.setresuid(INSIDE, INSIDE, INSIDE)


def keep_first_process() -> None:
    """Returns in a child, which is the first process of its namespace; this one only waits for it."""
    pid = os.fork()
    if pid == 0:
        return
    null = os.open("/dev/null", os.O_RDWR)
    # Held open here, the caller's pipes would not tell that the agent has ended.
    os.dup2(null, 0)
    os.dup2(null, 1)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0x7F)


def write(path: str, text: str) -> None:
    """The file holds the text."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def beside(root: str, path: str) -> str:
    """The toolchain's folder in its root, or this machine's own where the root has none of that name."""
    return root + path if os.path.lexists(root + path) else path


def furnish(folders: Mapping[str, str], limits: Mapping[str, Any], off: set[str]) -> Place:
    """The root is a small read-only tree of the system's folders, with an empty /work, /tmp and /dev/shm.

    Each folder comes from this machine's one of that name, or from another.
    """
    linux.mount("", "/", "", linux.REC | linux.PRIVATE)
    # Opened before anything is mounted: what lies below the box's own ground would be hidden by it.
    links = {path: os.readlink(source) for path, source in folders.items() if os.path.islink(source)}
    held = {path: source for path, source in folders.items() if path not in links and os.path.exists(source)}
    sources = {path: os.open(source, os.O_PATH) for path, source in held.items()}
    root = next(path for path in GROUNDS if os.path.isdir(path))
    linux.mount("tmpfs", root, "tmpfs", linux.NOSUID | linux.NODEV, "mode=755,size=1m")
    for name in ("dev/shm", "proc", "tmp", "work", "prog", ".box", ".old"):
        os.makedirs(f"{root}/{name}")
    for name in DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT | os.O_WRONLY))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for path, target in links.items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        os.symlink(target, root + path)
    for path, descriptor in sources.items():
        os.makedirs(root + path, exist_ok=True)
        linux.mount(f"/proc/self/fd/{descriptor}", root + path, "", linux.BIND | linux.REC)
        os.close(descriptor)
    if "read_only" not in off:
        linux.freeze(root)
    for name in DEVICES:
        linux.mount(f"/dev/{name}", f"{root}/dev/{name}", "", linux.BIND)
        if "read_only" not in off:
            # They are the machine's own: what is written to them goes nowhere, but their times would change.
            linux.freeze(f"{root}/dev/{name}", linux.RDONLY | linux.NOSUID)
    # A new proc may be mounted only while an old one is still in sight.
    linux.mount("proc", f"{root}/proc", "proc", linux.NOSUID | linux.NODEV | linux.NOEXEC)
    program = furnish_scratch(root, int(limits["file_bytes"]), off)
    linux.pivot(root, f"{root}/.old")
    linux.unmount("/.old")
    os.chdir("/work")
    scratch = ("/work", "/tmp", "/dev/shm")
    return Place("/work", scratch, "/prog", program, mounts=("/work",), own_network="network" not in off)


def furnish_scratch(root: str, size: int, off: set[str]) -> int:
    """The folders that a candidate may write to share one bound; the folder of programs is writable by its handle."""
    bound = "mode=755"
    if "scratch" not in off:
        bound += f",size={size},nr_inodes={max(LEAST_NAMES, size // INODE_BYTES)}"
    owner = f",uid={NOBODY},gid={NOBODY}" if os.geteuid() == 0 and "user" not in off else ""
    linux.mount("tmpfs", f"{root}/.box", "tmpfs", linux.NOSUID | linux.NODEV, bound + owner)
    for name in ("work", "tmp", "dev/shm"):
        os.mkdir(f"{root}/.box/{os.path.basename(name)}", SCRATCH_MODE)
        linux.mount(f"{root}/.box/{os.path.basename(name)}", f"{root}/{name}", "", linux.BIND)
        if owner:
            os.chown(f"{root}/{name}", NOBODY, NOBODY)
    linux.unmount(f"{root}/.box")
    # A program that was built may be large; it is not the candidate's doing any more.
    linux.mount("tmpfs", f"{root}/prog", "tmpfs", linux.NOSUID | linux.NODEV, "mode=755" + owner)
    handle = os.open(f"{root}/prog", os.O_RDONLY | os.O_DIRECTORY)
    linux.mount(f"{root}/prog", f"{root}/prog", "", linux.BIND)
    if "program" not in off:
        linux.freeze(f"{root}/prog")
    return handle


def set_limits(limits: Mapping[str, Any], processes: int) -> None:
    """What the kernel holds candidates to, inherited by all that they start; none of it can be raised again."""
    for what, value in (
        (resource.RLIMIT_CPU, int(limits["cpu_s"]) * 2 + SPARE_CPU_S),
        (resource.RLIMIT_FSIZE, int(limits["file_bytes"])),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_NOFILE, int(limits["open_files"])),
        # Not 0, which does not keep the kernel from handing a dump to a program of the machine; 1 does.
        (resource.RLIMIT_CORE, 1),
        (resource.RLIMIT_MEMLOCK, 1 << 20),
    ):
        value = allowed(what, value)
        resource.setrlimit(what, (value, value))
    # Runtimes that manage stacks of their own may ask for more.
    stack = allowed(resource.RLIMIT_STACK, int(limits["stack_bytes"]))
    resource.setrlimit(resource.RLIMIT_STACK, (stack, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def allowed(what: int, value: int) -> int:
    """The value, or the hard limit where that is lower: nobody here may raise it."""
    hard = resource.getrlimit(what)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def restrict(build: bool, off: set[str], *, fenced: bool = False) -> None:
    """No privilege can be gained by this thread any more, and the kernel refuses what candidates have no use for."""
    forbid_privileges(off)
    if "seccomp" not in off:
        linux.install(filter_program(build, fenced))


def forbid_privileges(off: set[str]) -> None:
    """Nothing that is executed lends privileges. Without this, neither a filter nor Landlock can be had."""
    if "privileges" not in off:
        linux.prctl(linux.NO_NEW_PRIVS, 1)
