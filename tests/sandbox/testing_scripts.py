"""Programs beside their tests, with their verdicts, in the languages that are run from their text."""

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
KNOWN: dict[str, Table] = {
    "ruby": RUBY, "php": PHP, "tcl": TCL, "luajit": LUAJIT, "octave": OCTAVE, "prolog": PROLOG,
}  # fmt: skip
