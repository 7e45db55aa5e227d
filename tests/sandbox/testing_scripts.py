"""Programs beside their tests, with their verdicts, in languages that are run from their text, and in COBOL."""

from __future__ import annotations

Table = dict[str, tuple[str, str, str]]

RUBY_TWICE = "def f(x) = 2 * x\n"
UNIT = "require 'test/unit'\nclass TestF < Test::Unit::TestCase\n  def test_f\n    assert_equal({}, f(2))\n  end\nend\n"
MINI = "require 'minitest/autorun'\nclass TestF < Minitest::Test\n  def test_f\n    assert_equal {}, f(2)\n  end\nend\n"
RUBY: Table = {
    "passes": (RUBY_TWICE, UNIT.format(4), "accepted"),
    "fails": (RUBY_TWICE, UNIT.format(5), "test_failure"),
    "minitest passes": (RUBY_TWICE, MINI.format(4), "accepted"),
    "minitest fails": (RUBY_TWICE, MINI.format(5), "test_failure"),
    "does not raise": ("f = ->(x) { 2 * x }\n", "raise 'no' unless f.(2) == 4", "accepted"),
    "raises": (RUBY_TWICE, "raise 'no' unless f(2) == 5", "test_failure"),
    "missing function": ("x = 1\n", "raise 'no' unless f(2) == 5", "test_failure"),
    "broken tests": (RUBY_TWICE, "raise 'no' unless f(2", "test_failure"),
    "crashes": ("def f(x) = nil + x\n", UNIT.format(5), "runtime_error"),
    "crashes in minitest": ("def f(x) = nil + x\n", MINI.format(5), "runtime_error"),
    "recurses for ever": ("def f(x) = 1 + f(x)\n", "raise 'no' unless f(2) == 5", "runtime_error"),
    "is no Ruby": ("def f(x\n", UNIT.format(5), "runtime_error"),
    "leaves early": ("def f(x) = exit\n", UNIT.format(5), "test_failure"),
    "leaves early and fast": ("exit!(true)\n", UNIT.format(5), "test_failure"),
    "leaves with 3": ("def f(x) = exit(3)\n", "raise 'no' unless f(2) == 5", "runtime_error"),
    "prints success": ("puts 'passed'\ndef f(x) = exit!(true)\n", UNIT.format(5), "test_failure"),
    "data behind its end": (RUBY_TWICE + "__END__\nrest\n", UNIT.format(4), "accepted"),
    "a main of its own": (RUBY_TWICE + "raise 'no' if __FILE__ == $0\n", UNIT.format(4), "accepted"),
    "replaces raise": ("def raise(*) = nil\ndef f(x) = 1\n", "raise 'no' unless f(2) == 5", "tampering"),
    "steals the token": ("puts Driver::PASSED\n$stdout.flush\nexit!(true)\n", UNIT.format(5), "tampering"),
}
PHP_TWICE = "<?php\nfunction f($x) { return 2 * $x; }\n"
PHP: Table = {
    "passes": (PHP_TWICE, "assert(f(2) === 4);", "accepted"),
    "fails": (PHP_TWICE, "assert(f(2) === 5);", "test_failure"),
    "with its tag": (PHP_TWICE, "\n<?php\nassert(f(2) === 5);\n", "test_failure"),
    "throws": (PHP_TWICE, "if (f(2) !== 5) throw new Exception('no');", "test_failure"),
    "missing function": ("<?php\n", "assert(f(2) === 5);", "test_failure"),
    "broken tests": (PHP_TWICE, "assert(f(2 === 5);", "test_failure"),
    "crashes": ("<?php\nfunction f($x) { return intdiv($x, 0); }\n", "assert(f(2) === 5);", "runtime_error"),
    "asserts itself": ("<?php\nfunction f($x) { assert(false); }\n", "assert(f(2) === 5);", "runtime_error"),
    "is no PHP": ("<?php\nfunction f($x {\n", "assert(f(2) === 5);", "runtime_error"),
    "leaves early": ("<?php\nfunction f($x) { exit(0); }\n", "assert(f(2) === 5);", "test_failure"),
    "leaves with 3": ("<?php\nfunction f($x) { exit(3); }\n", "assert(f(2) === 5);", "runtime_error"),
    "prints success": ("<?php\necho 'passed';\nfunction f($x) { exit; }\n", "assert(f(2) === 5);", "test_failure"),
    "prints at its end": (
        PHP_TWICE + "register_shutdown_function(function () { echo 'over'; });\n", "assert(f(2) === 4);", "accepted",
    ),
    "keeps its output": (PHP_TWICE + "ob_start();\necho 'kept';\n", "assert(f(2) === 4);", "accepted"),
    "switches assertions off": (
        "<?php\nini_set('assert.exception', '0');\nfunction f($x) { return 1; }\n", "assert(f(2) === 5);",
        "test_failure",
    ),
    "switches them off later": (
        "<?php\nfunction f($x) { ini_set('assert.exception', '0'); return 1; }\n", "assert(f(2) === 5);", "tampering",
    ),
}  # fmt: skip
TCL_TWICE = "proc f {x} {expr {2 * $x}}\n"
TCL: Table = {
    "passes": (TCL_TWICE, "assert {[f 2] == 4}", "accepted"),
    "fails": (TCL_TWICE, "assert {[f 2] == 5}", "test_failure"),
    "raises": (TCL_TWICE, "if {[f 2] != 5} {error no}", "test_failure"),
    "fails in a proc of the tests": (TCL_TWICE, "proc g {n} {assert {[f 2] == $n}}\ng 5\n", "test_failure"),
    "missing function": ("set x 1\n", "assert {[f 2] == 5}", "test_failure"),
    "broken tests": (TCL_TWICE, "assert {[f 2] == 5", "test_failure"),
    "crashes": ("proc f {x} {expr {$x / 0}}\n", "assert {[f 2] == 5}", "runtime_error"),
    "crashes further in": (
        "proc run {x} {error a}\nproc f {x} {run $x}\n", "proc g {n} {assert {[f 2] == $n}}\ng 5\n", "runtime_error",
    ),
    "recurses for ever": ("proc f {x} {f $x}\n", "assert {[f 2] == 5}", "runtime_error"),
    "is no Tcl": ("proc f {x} {\n", "assert {[f 2] == 5}", "runtime_error"),
    "leaves early": ("proc f {x} {exit}\n", "assert {[f 2] == 5}", "test_failure"),
    "leaves with 3": ("proc f {x} {exit 3}\n", "assert {[f 2] == 5}", "runtime_error"),
    "prints success": ("puts passed\nproc f {x} {exit 0}\n", "assert {[f 2] == 5}", "test_failure"),
    "replaces assert": ("proc assert {x} {}\nproc f {x} {}\n", "assert {[f 2] == 5}", "tampering"),
    "replaces error": ("proc error {x} {}\nproc f {x} {}\n", "if {[f 2] != 5} {error no}", "tampering"),
}  # fmt: skip
LUA_TWICE = "local function f(x) return 2 * x end\n"
LUAJIT: Table = {
    "passes": (LUA_TWICE, "assert(f(2) == 4)", "accepted"),
    "fails": (LUA_TWICE, "assert(f(2) == 5)", "test_failure"),
    "raises": (LUA_TWICE, "if f(2) ~= 5 then error('no') end", "test_failure"),
    "crashes": ("function f(x) return x.y.z end", "assert(f(2) == 5)", "runtime_error"),
    "asserts itself": ("function f(x) assert(false) end", "assert(f(2) == 5)", "runtime_error"),
    "recurses for ever": ("function f(x) return f(x) + 1 end", "assert(f(2) == 5)", "runtime_error"),
    "is no Lua": ("function f(x", "assert(f(2) == 5)", "runtime_error"),
    "leaves early": ("function f(x) os.exit(0) end", "assert(f(2) == 5)", "test_failure"),
    "leaves with 3": ("function f(x) os.exit(3) end", "assert(f(2) == 5)", "runtime_error"),
    "replaces assert": (
        "assert = function(...) return ... end function f(x) return 1 end", "assert(f(2) == 5)", "tampering",
    ),
    "breaks the walls of the language": (
        "function f(x) return require('ffi').cast('int *', 8)[0] end", "assert(f(2) == 5)", "runtime_error",
    ),
}  # fmt: skip
OCTAVE_F = "function y = f(x)\n  {};\nend\n"
OCTAVE: Table = {
    "passes": (OCTAVE_F.format("y = 2 * x"), "assert(f(2), 4);", "accepted"),
    "fails": (OCTAVE_F.format("y = 2 * x"), "assert(f(2) == 5);", "test_failure"),
    "raises": (OCTAVE_F.format("y = 2 * x"), "if f(2) != 5\n  error('no');\nend\n", "test_failure"),
    "fails in a function of the tests": (
        OCTAVE_F.format("y = 2 * x"), "function check(n)\n  assert(f(2), n);\nend\ncheck(5);\n", "test_failure",
    ),
    "missing function": ("x = 1;\n", "assert(f(2), 5);", "test_failure"),
    "broken tests": (OCTAVE_F.format("y = 2 * x"), "assert(f(2, 5);", "test_failure"),
    "crashes": (OCTAVE_F.format("y = x(7)"), "assert(f(2), 5);", "runtime_error"),
    "asserts itself": (OCTAVE_F.format("assert(false)"), "assert(f(2), 5);", "runtime_error"),
    "recurses for ever": (OCTAVE_F.format("y = 1 + f(x)"), "assert(f(2), 5);", "runtime_error"),
    "is no Octave": ("function y = f(x\n", "assert(f(2), 5);", "runtime_error"),
    "leaves early": (OCTAVE_F.format("exit(0)"), "assert(f(2), 5);", "test_failure"),
    "leaves with 3": (OCTAVE_F.format("exit(3)"), "assert(f(2), 5);", "runtime_error"),
    "clears everything": ("clear all;\n" + OCTAVE_F.format("y = 2 * x"), "assert(f(2), 4);", "accepted"),
    "replaces assert": (
        "function assert(varargin)\nend\n" + OCTAVE_F.format("y = 1"), "assert(f(2), 5);", "tampering",
    ),
}  # fmt: skip
PROLOG_TWICE = "f(X, Y) :- Y is 2 * X.\n"
PLUNIT = ":- use_module(library(plunit)).\n:- begin_tests(a).\ntest(a) :- f(2, {}).\n:- end_tests(a).\n"
PROLOG: Table = {
    "passes": (PROLOG_TWICE, ":- f(2, 4).\n:- f(3, X), X =:= 6.\n", "accepted"),
    "fails": (PROLOG_TWICE, ":- f(2, 5).\n", "test_failure"),
    "unit test passes": (PROLOG_TWICE, PLUNIT.format(4), "accepted"),
    "unit test fails": (PROLOG_TWICE, PLUNIT.format(5), "test_failure"),
    "raises": (PROLOG_TWICE, ":- f(2, 5) -> true ; throw(no).\n", "test_failure"),
    "missing predicate": ("a.\n", ":- f(2, 5).\n", "test_failure"),
    "broken tests": (PROLOG_TWICE, ":- f(2, 5.\n", "test_failure"),
    "crashes": ("f(X, Y) :- Y is X + a.\n", ":- f(2, 5).\n", "runtime_error"),
    "crashes in a unit test": ("f(_, Y) :- atom_length(_, Y).\n", PLUNIT.format(5), "runtime_error"),
    "throws": ("f(_, _) :- throw(a).\n", ":- f(2, 5).\n", "runtime_error"),
    "catches what it throws": ("f(_, 4) :- catch(throw(a), _, true).\n", ":- f(2, 5).\n", "test_failure"),
    "is no Prolog": ("f(X, Y :- Y is 2 * X.\n", ":- f(2, 4).\n", "runtime_error"),
    "leaves early": ("f(_, _) :- halt.\n", ":- f(2, 5).\n", "test_failure"),
    "leaves with 3": ("f(_, _) :- halt(3).\n", ":- f(2, 5).\n", "runtime_error"),
    "a main of its own": (
        ":- initialization(main).\nmain :- halt(3).\n" + PROLOG_TWICE, ":- f(2, 4).\n", "accepted",
    ),
    "steals the token": (
        "f(_, _) :- driver:words(P, _, _, _), writeln(P), halt(0).\n", ":- f(2, 5).\n", "tampering",
    ),
}  # fmt: skip
SHELL_TWICE = 'f() { echo "$((2 * $1))"; }\n'
LINES = """f 2
check() {
  [ "$1" = "$2" ] # it's a comment
}
for i in 1 2; do
  check "$(f "$i")" $((2 * i)) || exit 1
done
check "$(f 4)" \\
  8 &&
  true
cat > lines <<END
if there is
  END
END
grep -q 'if there' lines
"""
SHELL: Table = {
    "passes": (SHELL_TWICE, '[ "$(f 2)" = 4 ]\n[ "$(f 3)" -eq 6 ]\n', "accepted"),
    "fails": (SHELL_TWICE, '[ "$(f 2)" = 5 ]\n', "test_failure"),
    "fails at first": (SHELL_TWICE, '[ "$(f 2)" = 5 ]\n[ "$(f 2)" = 4 ]\n', "test_failure"),
    "many lines": (SHELL_TWICE, LINES, "accepted"),
    "ends by itself": (SHELL_TWICE, "test 4 = 5 || exit 1\n", "test_failure"),
    "no number": ("f() { echo a; }\n", '[ "$(f 2)" -eq 5 ]\n', "test_failure"),
    "broken tests": (SHELL_TWICE, '[ "$(f 2" = 4 ]\n', "test_failure"),
    "crashes": ("f() { no_such_command; }\n", 'out=$(f 2)\n[ "$out" = 5 ]\n', "runtime_error"),
    "is no shell": ("f() {\n", '[ "$(f 2)" = 4 ]\n', "runtime_error"),
    "leaves early": ("f() { exit 0; }\n", 'f 2\n[ "$(f 2)" = 5 ]\n', "test_failure"),
    "leaves at once": ("exit 0\n", '[ "$(f 2)" = 5 ]\n', "test_failure"),
    "leaves with 3": ("f() { exit 3; }\n", "f 2\n", "runtime_error"),
    "kills itself": ("f() { kill -9 $$; }\n", "f 2\n", "runtime_error"),
    "commands that may fail": ("f() { grep -c a; expr 1 - 1; echo 4; }\n", 'out=$(f 2)\ntest "$out"\n', "accepted"),
    "strict": ("set -eu\n" + SHELL_TWICE, '[ "$(f 2)" = 4 ]\n', "accepted"),
    "strict and wrong": ("set -eu\n" + SHELL_TWICE, '[ "$(f 2)" = 5 ]\n', "test_failure"),
    "replaces test": ("test() { return 0; }\nf() { :; }\n", 'test "$(f 2)" = 5\n', "tampering"),
    "steals the token": ('f() { echo "$driver_passed"; exit 0; }\n', "f 2\n", "tampering"),
}  # fmt: skip
COBOL_F = """identification division.
program-id. f.
data division.
linkage section.
01 n pic 9(4).
01 result pic 9(4).
procedure division using n result.
    {}
    goback.
"""
COBOL_TESTS = """IDENTIFICATION DIVISION.
PROGRAM-ID. TESTS.
DATA DIVISION.
WORKING-STORAGE SECTION.
01 N PIC 9(4) VALUE 2.
01 RESULT PIC 9(4).
PROCEDURE DIVISION.
    CALL "F" USING N RESULT
    DISPLAY RESULT
    IF RESULT NOT = {}
        CALL "failed"
    END-IF
    GOBACK.
"""
COBOL_MAIN = """identification division.
program-id. answer.
procedure division.
    display "42"
    move 3 to return-code
    stop run.
end program answer.
"""
COBOL: Table = {
    "passes": (COBOL_F.format("compute result = 2 * n"), COBOL_TESTS.format(4), "accepted"),
    "fails": (COBOL_F.format("compute result = 2 * n"), COBOL_TESTS.format(5), "test_failure"),
    "a main of its own": (
        COBOL_MAIN + COBOL_F.format("compute result = 2 * n") + "end program f.\n", COBOL_TESTS.format(4), "accepted",
    ),
    "sets its return code": (
        COBOL_F.format("compute result = 2 * n move 3 to return-code"), COBOL_TESTS.format(4), "accepted",
    ),
    "crashes": (COBOL_F.format('call "no-such-program"'), COBOL_TESTS.format(5), "runtime_error"),
    "leaves early": (COBOL_F.format("stop run"), COBOL_TESTS.format(5), "test_failure"),
    "leaves with 3": (COBOL_F.format("stop run returning 3"), COBOL_TESTS.format(5), "runtime_error"),
    "aborts": (COBOL_F.format('call "abort"'), COBOL_TESTS.format(5), "runtime_error"),
    "prints success": (COBOL_F.format('display "passed" stop run'), COBOL_TESTS.format(5), "test_failure"),
    "does not compile": (COBOL_F.format("compute result = m"), COBOL_TESTS.format(4), "compile_error"),
    "broken tests": (COBOL_F.format("compute result = 2 * n"), COBOL_TESTS.format("m"), "compile_error"),
    "a failure of its own": (
        COBOL_F.format("compute result = 2 * n")
        + "end program f.\nidentification division.\nprogram-id. failed.\nprocedure division.\n    goback.\n",
        COBOL_TESTS.format(5),
        "compile_error",
    ),
}  # fmt: skip
KNOWN: dict[str, Table] = {
    "shell": SHELL, "cobol": COBOL, "ruby": RUBY, "php": PHP, "tcl": TCL, "luajit": LUAJIT, "octave": OCTAVE,
    "prolog": PROLOG,
}  # fmt: skip
