"""Toolchains' folders: what installing would do, and that nothing half-made is ever in use, whoever is killed when."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasklake.jobs import cli
from tasklake.sandbox_exec.installing import debian, packs, places, registries, tools
from tasklake.sandbox_exec.installing.tools import InstallError
from tasklake.sandbox_exec.languages import Install, Language
from tasklake.sandbox_exec.languages.toolchains import STAMP, stamped

TYPESCRIPT = Install(npm=("typescript@5.9.3",), maven=("org.x:y:1.2",))
APT = """\
Dir::State "{0}/state";
Dir::State::status "{0}/status";
Dir::Cache "{0}/cache";
Dir::Etc::sourcelist "{0}/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
"""


def pack(place: Path, install: Install = TYPESCRIPT, name: str = "x") -> Language:
    return Language(id=name, filename="main.x", execute="x main.x", install=install, place=str(place))


def put(made: Language, text: str, tried: Callable[[], None] = lambda: None) -> str:
    """A version of the language's folder that holds the text is in use."""
    with places.making(made) as folder:
        (folder / "bin").mkdir()
        (folder / "bin" / "x").write_text(text, "utf-8")
        digest = places.content(folder)
        places.put_to_use(made, folder, digest, tried=tried)
    return digest


def held(made: Language) -> str:
    return Path(made.folder, "bin", "x").read_text("utf-8")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Debian machine on which nothing is installed, and whose real apt has never fetched a list from its mirror."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get here")
    machine, commands = tmp_path / "machine", tmp_path / "commands"
    for each in (machine / "mirror", machine / "state/lists/partial", machine / "cache/archives/partial", commands):
        each.mkdir(parents=True)
    (machine / "status").touch()
    (machine / "apt.conf").write_text(APT.format(machine))
    (machine / "sources.list").write_text(f"deb [trusted=yes] file:{machine}/mirror ./\n")
    (machine / "mirror/Release").write_text("Origin: Debian\nLabel: Debian\n")
    packages = [registry.debian for registry in registries.REGISTRIES.values()]
    entry = "Package: {0}\nVersion: 1\nArchitecture: all\nFilename: ./{0}.deb\nSize: 7\nSHA256: " + "0" * 64 + "\n\n"
    (machine / "mirror/Packages").write_text("".join(map(entry.format, packages)))
    (commands / "apt-get").symlink_to(str(shutil.which("apt-get")))
    for name in ("dpkg", "dpkg-query"):
        (commands / name).symlink_to("/bin/true")
    monkeypatch.setenv("APT_CONFIG", str(machine / "apt.conf"))
    monkeypatch.setenv("PATH", str(commands))
    monkeypatch.setattr(registries, "SEARCH_PATH", str(commands))
    debian.fetched.cache_clear()
    yield machine
    debian.fetched.cache_clear()


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of all registries are here."""
    folder = tmp_path / "clients"
    folder.mkdir()
    for registry in registries.REGISTRIES.values():
        (folder / registry.client).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.usefixtures("clients")
def test_plan_says_what_would_be_done(tmp_path: Path) -> None:
    """Each registry's packages and the folder that they go to are told before anything is touched."""
    told = packs.plan(pack(tmp_path / "new"))
    assert told.does == (
        f"npm install typescript@5.9.3 in {tmp_path}/new/x",
        f"maven install org.x:y:1.2 in {tmp_path}/new/x",
    )
    assert not (tmp_path / "new").exists()
    row = told.row("to install")
    assert (row["id"], row["done"], row["reason"]) == ("x", "to install", "")


def test_plan_without_lists_says_how_they_come(bare: Path) -> None:
    """Where nothing may be touched, or not by this user, apt's lists stay away: the reason names the command."""
    told = packs.plan(pack(bare))
    assert "Unable to locate package npm" in told.why_not
    assert told.why_not.endswith("run apt-get update")
    assert not list((bare / "state/lists").glob("*Packages"))


def test_command_fetches_lists_unless_it_only_tells(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run touches nothing; root's installation goes on to the package itself, which this mirror does not have."""
    (bare / "languages").mkdir()
    (bare / "languages/zig.yaml").write_text("filename: a.zig\nexecute: zig a.zig\ninstall: [npm]\n")
    monkeypatch.setenv("TASKLAKE_PLUGINS", str(bare))
    for words, told in ((["--dry-run"], "run apt-get update"), ([], "npm.deb" if os.geteuid() == 0 else "run apt-get")):
        assert cli.main(["languages", "install", "zig", *words, "--json"]) == 1
        assert told in json.loads(capsys.readouterr().out)[0]["reason"]


def test_lists_are_fetched_once_for_all_plans(bare: Path) -> None:
    """On a machine without lists, as container images are, they come before anything is refused, and no second time."""
    assert sorted(packs.plan(pack(bare), fetch=True).packages) == ["maven", "npm"]
    assert packs.plan(pack(bare, Install(debian=("no-such-x",))), fetch=True).why_not
    assert packs.plan(pack(bare, Install(debian=("no-such-y",))), fetch=True).why_not
    assert debian.fetched.cache_info().misses == 1


def test_mirror_that_fails_is_told_with_what_is_missed(bare: Path) -> None:
    """What a mirror refused stands behind the package that was looked for in vain."""
    shutil.rmtree(bare / "mirror")
    told = packs.plan(pack(bare, Install(npm=("x",))), fetch=True)
    assert "Unable to locate package npm; apt-get ended with" in told.why_not


def test_mirror_is_known_without_lists(bare: Path) -> None:
    """A root file system is made on a machine that has never fetched a list."""
    assert debian.mirror() == f"file:{bare}/mirror/"


@pytest.mark.parametrize("name", registries.REGISTRIES)
def test_client_of_a_registry_is_installed_before_it_is_needed(bare: Path, name: str) -> None:
    """Packs name no client of a registry: it comes as a package where it is missing, and only where it is needed."""
    made = pack(bare, Install(**{name: ("x",)}))
    registry = registries.REGISTRIES[name]
    told = packs.plan(made, fetch=True)
    assert told.does == (f"apt-get install {registry.debian}", f"{name} install x in {bare}/x")
    assert told.packages == (registry.debian,)
    (bare.parent / "commands" / registry.client).symlink_to("/bin/true")
    assert packs.plan(made).does == (f"{name} install x in {bare}/x",)
    (bare.parent / "commands" / registry.client).unlink()
    put(made, "one")
    assert packs.plan(made).does == ()


def test_client_comes_onto_the_machine_that_makes_an_image(bare: Path) -> None:
    """What fills a folder, be it one of an image, has its client first: apt is asked for it, here in vain."""
    told: list[str] = []
    with pytest.raises(InstallError, match=r"apt-get ended .*npm\.deb"):
        packs.filled(pack(bare), bare, told.append, None)
    assert told[0] == "apt-get install npm maven"


def test_plan_of_words_is_refused(tmp_path: Path) -> None:
    """What a pack says in words only a person can do, and is told."""
    told = packs.plan(pack(tmp_path, Install(text=("RUN make",))))
    assert "in words only: RUN make" in told.why_not
    (row,) = packs.installed([told], lambda *_: None)
    assert row["done"] == "failed"


def test_version_in_use_is_replaced_whole(tmp_path: Path) -> None:
    """The link leads to the old version or to the new one; the old one goes with the next installation."""
    made = pack(tmp_path)
    first, second = put(made, "one"), put(made, "two")
    assert os.readlink(made.folder) == f"x-{second}"
    assert held(made) == "two"
    assert (tmp_path / f"x-{first}").is_dir()
    assert places.swept(tmp_path) == [f"x-{first}"]
    assert held(made) == "two"


def test_same_content_is_the_same_version(tmp_path: Path) -> None:
    """Installed again, the same files are the same version: stored verdicts stay valid."""
    made = pack(tmp_path)
    assert put(made, "one") == put(made, "one")
    assert [each.name for each in sorted(tmp_path.iterdir())] == ["x", f"x-{places.content(Path(made.folder))}"]


@pytest.mark.parametrize("first", ["one", ""])
def test_version_that_does_not_work_is_not_kept(tmp_path: Path, first: str) -> None:
    """It is tried where it would be used: what was there before is there again, and nothing of the new one."""
    made = pack(tmp_path)
    if first:
        put(made, first)
    before = sorted(each.name for each in tmp_path.iterdir())

    def tried() -> None:
        assert held(made) == "two"
        # Killed now, it is installed again and not taken for what was asked for.
        assert not places.is_there(made)
        raise InstallError("it does not answer")

    with pytest.raises(InstallError, match="does not answer"):
        put(made, "two", tried)
    assert sorted(each.name for each in tmp_path.iterdir()) == before
    assert places.is_there(made) == bool(first)
    assert not first or held(made) == first


def test_what_failed_leaves_nothing(tmp_path: Path) -> None:
    """A folder whose making fails is gone, and the version in use stays."""
    made = pack(tmp_path)
    put(made, "one")

    def fails() -> None:
        with places.making(made) as folder:
            (folder / "half").mkdir(mode=0o500)
            raise InstallError("no")

    with pytest.raises(InstallError, match="no"):
        fails()
    assert held(made) == "one"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_killed_is_swept(tmp_path: Path) -> None:
    """Half-made folders and links of a killed installation are gone before the next; other people's folders stay."""
    made = pack(tmp_path)
    put(made, "one")
    code = (
        "import os, pathlib, sys\n"
        "from tasklake.sandbox_exec.installing import places\n"
        "from tasklake.sandbox_exec.languages import Language\n"
        "made = Language(id='x', filename='a', execute='x a', place=sys.argv[1])\n"
        "with places.alone(pathlib.Path(sys.argv[1])), places.making(made) as folder:\n"
        "    (folder / 'closed').mkdir(mode=0o100)\n"
        "    os.symlink('nowhere', sys.argv[1] + '/.making-x')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    (tmp_path / "x-hand").mkdir()
    assert len([each for each in tmp_path.iterdir() if each.name.startswith(".making-")]) == 2
    with places.alone(tmp_path):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "x", os.readlink(made.folder), "x-hand"]
    assert held(made) == "one"


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """Who comes second is told, and nothing of the first is swept."""
    with places.alone(tmp_path), places.making(pack(tmp_path)) as folder:
        with pytest.raises(InstallError, match="somebody else is installing"), places.alone(tmp_path):
            pass
        assert folder.is_dir()


def test_what_outlives_its_installer_holds_others_off(tmp_path: Path) -> None:
    """A tool that was started by a killed installation still writes: the folder is its own until it has ended."""
    code = (
        "import os, pathlib, sys, threading, time\n"
        "from tasklake.sandbox_exec.installing import places, tools\n"
        "def told(line): os.kill(os.getpid(), 9)\n"
        "with places.alone(pathlib.Path(sys.argv[1])):\n"
        "    tools.ran(['sh', '-c', 'echo $$; exec sleep 60'], lambda line: (print(line, flush=True), told(line)))\n"
    )
    done = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert done.stdout is not None
    left = int(done.stdout.readline())
    done.wait()
    try:
        with pytest.raises(InstallError, match="somebody else"), places.alone(tmp_path):
            pass
    finally:
        os.kill(left, 9)


def test_folder_that_is_no_link_is_left_alone(tmp_path: Path) -> None:
    """What somebody has laid there by hand is not ours to replace."""
    made = pack(tmp_path)
    Path(made.folder).mkdir()
    with pytest.raises(InstallError, match="no link"):
        put(made, "one")
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.usefixtures("clients")
def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """A version that was asked for in the same words is not installed again; other words ask for another."""
    made = pack(tmp_path)
    put(made, "one")
    assert packs.plan(made).does == ()
    other = pack(tmp_path, Install(npm=("typescript@5.9.4",)))
    assert packs.plan(other).does == (f"npm install typescript@5.9.4 in {tmp_path}/x",)
    Path(made.folder, STAMP).write_text("{", "utf-8")
    assert stamped(made.folder) == {}
    assert packs.plan(made).does


def test_content_is_all_that_lies_there(tmp_path: Path) -> None:
    """Names, bytes, links and what may be executed make a version; times do not."""
    (tmp_path / "a").write_text("1", "utf-8")
    words = [places.content(tmp_path)]
    os.utime(tmp_path / "a", (0, 0))
    assert places.content(tmp_path) == words[0]
    (tmp_path / "a").chmod(0o755)
    words.append(places.content(tmp_path))
    (tmp_path / "b").symlink_to("a")
    words.append(places.content(tmp_path))
    (tmp_path / "a").write_text("2", "utf-8")
    words.append(places.content(tmp_path))
    assert len(set(words)) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_mounts_that_were_left_are_not_gone_into(tmp_path: Path) -> None:
    """What a killed builder has left mounted is unmounted, not emptied."""
    outside, inside = tmp_path / "outside", tmp_path / ".making-x" / "root" / "a b"
    for each in (outside, inside):
        each.mkdir(parents=True)
    (outside / "kept").touch()
    done = subprocess.run(["mount", "--bind", outside, inside], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this machine allows no mounts")
    mode = outside.stat().st_mode
    assert places.mounts(tmp_path / ".making-x") == [str(inside)]
    assert places.swept(tmp_path) == [".making-x"]
    assert (outside / "kept").exists()
    assert outside.stat().st_mode == mode


def test_rights_are_asked_for_before_anything_is_touched(tmp_path: Path) -> None:
    """Root is needed for packages and root file systems, and for folders that are not one's own."""
    own = packs.Plan(pack(tmp_path), ("npm",))
    packages = packs.Plan(pack(tmp_path), ("apt",), ("x",))
    root = packs.Plan(pack(tmp_path, Install(debian=("x",), suite="sid")), ("root",))
    nothing = packs.Plan(pack(tmp_path, Install(debian=("x",), suite="sid")))
    assert not packs.lacks_rights([own, nothing])
    assert [packs.lacks_rights([each]) for each in (packages, root)] == [os.geteuid() != 0] * 2


def test_tool_that_fails_is_told_in_its_own_words() -> None:
    """The lines that name the cause are kept, and not the tool's whole talk."""
    with pytest.raises(InstallError, match=r"sh ended with 3: E: no such package$"):
        tools.ran(["sh", "-c", "echo reading; echo 'E: no such package'; echo done; exit 3"])
    with pytest.raises(InstallError, match="no-such-tool-x"):
        tools.ran(["no-such-tool-x"])
    lines: list[str] = []
    assert tools.ran(["sh", "-c", "echo a; echo b >&2"], lines.append) == lines == ["a", "b"]


def test_tools_get_words_and_no_shell() -> None:
    """Nothing in a package's name is expanded."""
    assert tools.ran(["echo", "$HOME `id` ; x"]) == ["$HOME `id` ; x"]


def test_tools_are_told_what_they_need_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, mirrors and certificates of the caller reach them; keys of models, clouds and registries do not."""
    kept = ("HTTPS_PROXY", "no_proxy", "npm_config_registry", "PIP_INDEX_URL", "GOPROXY", "CARGO_HOME", "SSL_CERT_FILE")
    secrets = ("OPENAI_API_KEY", "CARGO_REGISTRY_TOKEN", "npm_config__authToken", "GOOGLE_APPLICATION_CREDENTIALS", "X")
    for name in (*kept, *secrets):
        monkeypatch.setenv(name, "/dev/null")
    told = {line.partition("=")[0] for line in tools.ran(["env"])}
    assert told >= {*kept, "PATH", "LC_ALL"}
    assert not told & set(secrets)


def test_missing_client_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A registry whose client is not here, in spite of all, is told."""
    monkeypatch.setattr(registries, "SEARCH_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallError, match="the command mvn is not installed"):
        registries.maven(("org.x:y:1.2",), tmp_path, lambda _: None)


@pytest.mark.skipif(not Path("/usr/bin/dpkg-query").exists(), reason="no Debian packages here")
def test_packages_that_are_there_are_not_installed() -> None:
    """Only what is missing is asked of apt."""
    assert debian.missing(["dpkg", "no-such-package-x"]) == ["no-such-package-x"]
    assert debian.missing([]) == []
    assert debian.planned([]) == debian.Transaction()
