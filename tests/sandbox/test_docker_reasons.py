"""Where no container can be made, one sentence says why and what to do, at once."""

from __future__ import annotations

import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasklake.sandbox_exec.backends import IsolationError, wanted
from tasklake.sandbox_exec.containers.engine import QUICK_S
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import why_not

pytestmark = pytest.mark.sandbox

# Of a plain user, whom nobody is.
USER = 65533
TELLING = """
import os, sys
if sys.argv[1] == "missing": sys.modules["docker"] = None
else: import docker.utils
from tasklake.sandbox_exec.backends import wanted
from tasklake.sandbox_exec.probing import why_not
level = wanted("docker")[0]
if sys.argv[1] == "plain": os.seteuid(int(sys.argv[2]))
sys.stdout.write(why_not(level))
"""


@pytest.fixture(autouse=True)
def _usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing about TLS or contexts is taken from whoever runs the tests."""
    for name in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says why there is no container where the engine's address is that."""
    pytest.importorskip("docker", reason="the Python package docker is missing; pip install 'tasklake[docker]'")

    def of(address: str) -> str:
        monkeypatch.setenv("DOCKER_HOST", address)
        return why_not(wanted("docker")[0])

    return of


def told(*words: str) -> str:
    """What a process of its own says."""
    done = subprocess.run([sys.executable, "-c", TELLING, *words], capture_output=True, text=True, check=True)
    return done.stdout


# Inside, nobody may make a namespace, as where a system forbids that to plain users.
FORBIDDING = (
    "unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c",
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"', "sh",
)  # fmt: skip
CHOOSING = """
import sys
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.errors import TasklakeError
for isolation in sys.argv[1:]:
    try:
        with Pool(isolation=isolation) as pool: sys.stdout.write(pool.backend.NAME + "\\n")
    except TasklakeError as error:
        sys.stdout.write(f"{error}\\n")
"""


def chosen(*isolations: str) -> list[str]:
    """The levels that are taken where no namespace can be made, or why there is none."""
    words = [*FORBIDDING, sys.executable, "-c", CHOOSING, *isolations]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"namespaces cannot be forbidden here: {done.stderr[-200:]}")
    return done.stdout.splitlines()


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Somebody has bound the socket and hears nobody."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        made.listen()
        yield made


@contextmanager
def answering(path: Path, info: str) -> Iterator[None]:
    """An engine that says that of itself, and does nothing."""

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text = b'{"ApiVersion": "1.41"}' if self.path.endswith("/version") else info.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def address_string(self) -> str:
            return "test"

        def log_message(self, *_: object) -> None:
            return

    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_package_is_missing() -> None:
    """Without the package docker, the command that installs it is named."""
    assert told("missing") == "the Python package docker is not installed; pip install 'tasklake[docker]'"


def test_nobody_listens(named: Any, tmp_path: Path) -> None:
    """No socket, or one that its engine has left behind: where it was looked for, and what to do."""
    path = tmp_path / "docker.sock"
    assert named(f"unix://{path}") == f"no Docker engine is at {path}; start one, or name its socket by DOCKER_HOST"
    with listening(path):
        pass
    assert f"at {path} does not answer (Connection refused); is dockerd running?" in named(f"unix://{path}")


def test_engine_is_elsewhere(named: Any) -> None:
    """An engine that is reached over a network sees other files than we do."""
    assert named("tcp://192.0.2.1:2375").startswith("the Docker engine is at tcp://192.0.2.1:2375; a box needs one on")


def test_user_may_not_speak_to_it(named: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of somebody else's is told apart from none."""
    if os.geteuid() != 0:
        pytest.skip("only root can become a user who may not")
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with listening(path):
        path.chmod(0o600)
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o711)
        assert f"this user may not speak to the Docker engine at {path}; add the user" in told("plain", str(USER))


def test_engine_holds_no_limits(named: Any, tmp_path: Path) -> None:
    """An engine that would leave limits out in silence, as one without cgroups does, is not used."""
    path = tmp_path / "docker.sock"
    with answering(path, '{"MemoryLimit": false, "PidsLimit": false, "CgroupDriver": "none"}'):
        reason = named(f"unix://{path}")
    assert reason == (
        "the Docker engine cannot limit memory and the number of processes here (its cgroup driver: none)"
    )


def test_what_listens_is_no_engine(named: Any, tmp_path: Path) -> None:
    """Whoever answers with something else is told to be no engine, with what came of it."""
    path = tmp_path / "docker.sock"
    with answering(path, "nothing that is JSON"):
        assert f"at unix://{path} does not answer as one" in named(f"unix://{path}")


def test_engine_that_hangs_is_not_waited_for(named: Any, tmp_path: Path) -> None:
    """An engine that takes the call and says nothing is given up within seconds."""
    path = tmp_path / "docker.sock"
    with listening(path):
        begun = time.monotonic()
        assert "does not answer as one" in named(f"unix://{path}")
        # As often as it is asked, and as long again on a machine that is busy with other things.
        assert time.monotonic() - begun < 4 * QUICK_S


def test_pool_tells_the_reason(named: Any, tmp_path: Path) -> None:
    """Who asks for the level by its name is told why there is none."""
    assert named(f"unix://{tmp_path}/none")
    with pytest.raises(IsolationError, match=f"docker: no Docker engine is at {tmp_path}/none"):
        Pool(1, "docker")


def test_each_level_that_was_tried_tells_its_reason(named: Any, tmp_path: Path) -> None:
    """Strict names both levels that would do, and why neither does; any goes on to the next that works."""
    assert named(f"unix://{tmp_path}/none")
    strict, any_level = chosen("strict", "any")
    assert strict.startswith("isolation strict is asked for, but no such level works here (namespaces: OSError: ")
    assert f"; docker: no Docker engine is at {tmp_path}/none; start one" in strict
    assert any_level in ("landlock", "process")


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
def test_containers_are_taken_where_namespaces_are_forbidden() -> None:
    """They satisfy all that is asked for, a strict isolation too."""
    assert chosen("strict", "standard", "any") == ["docker"] * 3


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
def test_engine_does_not_see_our_files() -> None:
    """Where the folder that we would meet an agent in exists for us alone, as beside a shared engine, that is said."""
    hidden = 'mount -t tmpfs none /mnt && TMPDIR=/mnt exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", hidden, "sh", sys.executable, "-c", TELLING, "here"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stdout:
        pytest.skip(f"no mounts of one's own here: {done.stderr[-200:]}")
    assert done.stdout.startswith("the Docker engine does not see this machine's files"), done.stderr


@pytest.mark.docker
def test_engine_that_comes_back_is_used(docker_engine: Any) -> None:
    """What was refused while the engine was down works in the same process once it is up."""
    docker_engine.stop()
    assert "no Docker engine is at" in why_not(wanted("docker")[0])
    docker_engine.start()
    assert not why_not(wanted("docker")[0])
