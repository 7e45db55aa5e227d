"""Programs of our own that end in each verdict but accepted, judged the same on every level that works here."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tasklake.sandbox_exec.backends import wanted
from tasklake.sandbox_exec.languages import ToolchainMissing, language, toolchain
from tasklake.sandbox_exec.limits import MIB, Limits
from tasklake.sandbox_exec.pool import Pool
from tasklake.sandbox_exec.probing import why_not
from tasklake.sandbox_exec.verdict import Case, Verdict

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cpu_s=0.4, wall_s=3.0, memory_bytes=96 * MIB, output_bytes=MIB, processes=64)
# The first level is tried always, the others with make test-wide and make test-docker.
MARKS = {"namespaces": (), "docker": pytest.mark.docker}
LEVELS = [pytest.param(each.NAME, marks=MARKS.get(each.NAME, pytest.mark.wide)) for each in wanted("standard")]


@dataclass(frozen=True)
class Program:
    """A program, and how it must end."""

    name: str
    language: str
    text: str
    verdict: Verdict
    signal: int | None = None
    exit_code: int | None = None
    limits: Limits = field(default=LIMITS)


# Memory that an optimiser cannot take for unused.
USE = """
static void use(volatile char *p, size_t n) { for (size_t i = 0; i < n; i += 4096) p[i] = 1; }
"""


def c(body: str) -> str:
    headers = ("stdio", "stdlib", "string", "signal", "unistd", "pthread", "sys/mman", "sys/wait", "fcntl")
    included = "".join(f"#include <{each}.h>\n" for each in headers)
    return f"{included}{USE}int main(void) {{ {body} }}\n"


def python(name: str, text: str, verdict: Verdict, **more: int) -> Program:
    return Program(name, "python", text, verdict, **more)  # type: ignore[arg-type]


# Those that end a program by default and that it can send itself; its first process is none of ours.
SIGNALS = [
    each
    for each in signal.Signals
    if each
    not in (
        signal.SIGCHLD,
        signal.SIGCONT,
        signal.SIGSTOP,
        signal.SIGTSTP,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGURG,
        signal.SIGWINCH,
        signal.SIGRTMIN,
        signal.SIGRTMAX,
    )
]
BY_SIGNAL = [
    Program(
        f"raises {each.name}", "c", c(f'raise({int(each)}); puts("alive"); return 0;'), Verdict.runtime_error, int(each)
    )
    for each in SIGNALS
]
CRASHES = [
    Program("null pointer", "c", c("int *volatile p = 0; return *p;"), Verdict.runtime_error, signal.SIGSEGV),
    Program(
        "division by zero", "c", c("volatile int a = 0, b = 7; return b / a;"), Verdict.runtime_error, signal.SIGFPE
    ),
    Program("trap", "c", c("__builtin_trap();"), Verdict.runtime_error, signal.SIGILL),
    Program(
        "abort",
        "cpp",
        "#include <vector>\nint main() { std::vector<int>().at(1); }",
        Verdict.runtime_error,
        signal.SIGABRT,
    ),
    Program(
        "endless recursion",
        "c",
        "int f(int n) { volatile char a[99999]; a[0] = n; return f(n + 1) + a[0]; }\nint main(void) { return f(0); }",
        Verdict.runtime_error,
        signal.SIGSEGV,
        None,
        Limits(cpu_s=2.0),
    ),
    python("exception", "raise ValueError('no')", Verdict.runtime_error, exit_code=1),
    python("recursion", "def f(): return f()\nf()", Verdict.runtime_error, exit_code=1),
    Program("lua error", "lua", "error('no')", Verdict.runtime_error, exit_code=1),
    Program("perl die", "perl", "die 'no';", Verdict.runtime_error, exit_code=255),
    Program("javascript throw", "javascript", "throw new Error('no');", Verdict.runtime_error, exit_code=1),
    Program(
        "javascript rejection", "javascript", "Promise.reject(new Error('no'));", Verdict.runtime_error, exit_code=1
    ),
    Program("shell not found", "shell", "no-such-command", Verdict.runtime_error, exit_code=127),
]
EXITS = [
    Program(f"exits with {code}", "c", c(f'puts("42"); return {code};'), Verdict.runtime_error, exit_code=code)
    for code in (1, 2, 3, 42, 43, 124, 125, 126, 127, 128, 137, 143, 255)
]
TIMES = [
    Program("c loop", "c", c("for (volatile unsigned i = 0;; i++) {}"), Verdict.time_limit),
    Program("c loop after the answer", "c", c('puts("42"); fflush(stdout); for (;;) {}'), Verdict.time_limit),
    Program(
        "c ignores what ends it",
        "c",
        c("for (int i = 1; i < 32; i++) signal(i, SIG_IGN); for (;;) {}"),
        Verdict.time_limit,
    ),
    Program("c loop in a child", "c", c("if (fork() == 0) for (;;) {} wait(0); return 0;"), Verdict.time_limit),
    Program(
        "c loop in a forgotten child",
        "c",
        c("signal(SIGCHLD, SIG_IGN); if (fork() == 0) for (;;) {} pause();"),
        Verdict.time_limit,
    ),
    Program("c sleeps", "c", c("sleep(99); return 0;"), Verdict.time_limit),
    Program("c stops itself", "c", c("raise(SIGSTOP); return 0;"), Verdict.time_limit),
    Program(
        "c waits for input that never comes",
        "c",
        c("int p[2]; pipe(p); char b; read(p[0], &b, 1); return 0;"),
        Verdict.time_limit,
    ),
    python("python loop", "while True: pass", Verdict.time_limit),
    python(
        "python threads",
        "import threading\ndef f():\n    while True: pass\nfor _ in range(4): threading.Thread(target=f).start()",
        Verdict.time_limit,
    ),
    python("python sleep", "import time; time.sleep(99)", Verdict.time_limit),
    python("python pattern", "import re; re.match('(a+)+$', 'a' * 40 + 'b')", Verdict.time_limit),
    Program("lua loop", "lua", "while true do end", Verdict.time_limit),
    Program("perl loop", "perl", "1 while 1;", Verdict.time_limit),
    Program("javascript loop", "javascript", "for (;;) {}", Verdict.time_limit),
    Program("javascript timer", "javascript", "setInterval(() => {}, 1000);", Verdict.time_limit),
    Program("shell loop", "shell", "while :; do :; done", Verdict.time_limit),
    Program("shell subshells", "shell", "while :; do (:); done", Verdict.time_limit),
]
MEMORY = [
    Program("c heap", "c", c("for (;;) use(malloc(1 << 20), 1 << 20);"), Verdict.memory_limit),
    Program("c static", "c", c("static char a[1 << 29]; use(a, sizeof a); return 0;"), Verdict.memory_limit),
    Program(
        "c at once and gone",
        "c",
        c("char *p = malloc(200 << 20); use(p, 200 << 20); free(p); return 0;"),
        Verdict.memory_limit,
    ),
    Program(
        "c mapped", "c", c("size_t n = 1 << 29; use(mmap(0, n, 3, 34, -1, 0), n); return 0;"), Verdict.memory_limit
    ),
    Program(
        "c shared", "c", c("size_t n = 1 << 29; use(mmap(0, n, 3, 33, -1, 0), n); return 0;"), Verdict.memory_limit
    ),
    Program(
        "c in children",
        "c",
        c("for (int i = 0; i < 8; i++) if (!fork()) { use(malloc(30 << 20), 30 << 20); pause(); } pause();"),
        Verdict.memory_limit,
    ),
    python("python bytes", "x = b'x' * 10**9", Verdict.memory_limit),
    python("python list", "x = [0] * 10**8", Verdict.memory_limit),
    python("python grows", "x = []\nwhile True: x.append('y' * 10**6 + str(len(x)))", Verdict.memory_limit),
    Program("lua string", "lua", "local s = ('x'):rep(1e9)", Verdict.memory_limit),
    Program("lua table", "lua", "local t = {} for i = 1, 1e9 do t[i] = i end", Verdict.memory_limit),
    Program("perl string", "perl", "my $x = 'x' x 1e9; print length $x;", Verdict.memory_limit),
    Program(
        "javascript buffers",
        "javascript",
        "const x = []; for (;;) x.push(Buffer.alloc(1 << 22, 1));",
        Verdict.memory_limit,
    ),
    Program(
        "c fails just below", "c", c("use(malloc(89 << 20), 89 << 20); usleep(99999); return 1;"), Verdict.memory_limit
    ),
]
OUTPUT = [
    Program("c writes", "c", c('for (;;) puts("yes");'), Verdict.output_limit),
    Program("c ignores SIGPIPE", "c", c('signal(SIGPIPE, SIG_IGN); for (;;) puts("yes");'), Verdict.output_limit),
    Program(
        "c the answer and then too much",
        "c",
        c('puts("42"); fwrite(calloc(1, 1 << 21), 1, 1 << 21, stdout); return 0;'),
        Verdict.output_limit,
    ),
    python("python writes", "while True: print('yes')", Verdict.output_limit),
    python("python a byte too many", f"print('x' * {MIB}, end='y')", Verdict.output_limit),
    Program("lua writes", "lua", "while true do print('yes') end", Verdict.output_limit),
    Program("perl writes", "perl", "print 'yes' while 1;", Verdict.output_limit),
    Program(
        "javascript writes",
        "javascript",
        "for (;;) require('fs').writeSync(1, 'x'.repeat(65536));",
        Verdict.output_limit,
    ),
    Program("shell yes", "shell", "yes", Verdict.output_limit),
]
BUILD = [
    Program("c unknown name", "c", "int main(void) { return missing; }", Verdict.compile_error),
    Program("c cut off", "c", "int main(void) {", Verdict.compile_error),
    Program("c #error", "c", "#error no\n", Verdict.compile_error),
    Program("c no main", "c", "int f(void) { return 0; }", Verdict.compile_error),
    Program("c empty", "c", "", Verdict.compile_error),
    Program("c binary", "c", "\0\1\2\3", Verdict.compile_error),
    Program("cpp wrong type", "cpp", 'int main() { return "no"; }', Verdict.compile_error),
    Program(
        "cpp template error",
        "cpp",
        "#include <set>\nstruct S {}; int main() { std::set<S> s; s.insert(S()); }",
        Verdict.compile_error,
    ),
]
WRONG = [
    python("nothing", "pass", Verdict.wrong_answer),
    python("another number", "print(41)", Verdict.wrong_answer),
    python("too much", "print(42); print(42)", Verdict.wrong_answer),
    python("on stderr", "import sys; print(42, file=sys.stderr)", Verdict.wrong_answer),
    python("NUL behind it", "print('42\\0')", Verdict.wrong_answer),
    Program("claims success", "shell", 'echo \'{"result": "success"}\'', Verdict.wrong_answer),
    Program("closes its output", "c", c("close(1); return 0;"), Verdict.wrong_answer),
]
PROGRAMS = [*BY_SIGNAL, *CRASHES, *EXITS, *TIMES, *MEMORY, *OUTPUT, *BUILD, *WRONG]


@pytest.fixture(scope="module", params=LEVELS)
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    backend = wanted(request.param)[0]
    if why_not(backend):
        pytest.skip(f"isolation {request.param} does not work here: {why_not(backend)}")
    with Pool(isolation=request.param) as made:
        yield made


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: f"{each.language}: {each.name}")
def test_program_ends_as_it_must(pool: Pool, program: Program) -> None:
    """The verdict is the table's, with the signal or the exit code where one is named; the next one is unharmed."""
    try:
        toolchain(language(program.language))
    except ToolchainMissing as error:
        pytest.skip(str(error))
    result = pool.run(program.text, program.language, [Case(b"", b"42\n")], program.limits)
    step = result.cases[0] if result.build.verdict is Verdict.accepted else result.build
    assert result.verdict is program.verdict, step
    assert program.signal in (None, step.signal)
    assert program.exit_code in (None, step.exit_code)
    assert pool.run("print(42)", "python", [Case(b"", b"42\n")]).verdict is Verdict.accepted


def test_there_are_enough_of_each_kind() -> None:
    """At least sixty, and several of every verdict that a program can be given for what it did."""
    counted = {word: sum(each.verdict is word for each in PROGRAMS) for word in Verdict}
    assert len(PROGRAMS) >= 60
    assert all(counted[word] >= 5 for word in (
        Verdict.runtime_error, Verdict.time_limit, Verdict.memory_limit, Verdict.output_limit, Verdict.compile_error,
        Verdict.wrong_answer,
    ))  # fmt: skip
