"""Programs with tests in languages that many know: each with its tests, and the verdict it deserves."""

from __future__ import annotations

TWICE = "def f(x):\n    return 2 * x\n"
UNIT = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(f(2), {})\n"
ALWAYS = (
    "class A:\n    def __eq__(self, other):\n        return True\n    def __ne__(self, other):\n        return False\n"
)
ALWAYS += "def f(x):\n    return A()\n"
# Finds the driver's words in the frames that called it.
THIEF = """import os, sys
def f(x):
    frame = sys._getframe()
    while frame:
        if 'passed' in frame.f_locals:
            print(frame.f_locals['passed'], flush=True)
            os._exit(0)
        frame = frame.f_back
"""
LOOKER = """import os
import __main__ as driver
def f(x):
    os.write(1, (driver.passed if driver.left == driver.right else driver.failed).encode())
    os._exit(driver.left != driver.right)
"""
BLINDER = """import builtins, types
builtins.isinstance = builtins.issubclass = lambda *a: False
types.FunctionType = int
def f(x):
    return 0
"""
PYTHON = {
    "passes": (TWICE, "assert f(2) == 4\nassert f(3) == 6\n", "accepted"),
    "fails": (TWICE, "assert f(2) == 5\n", "test_failure"),
    "missing function": ("x = 1\n", "assert f(2) == 5\n", "test_failure"),
    "broken tests": (TWICE, "assert f(2 == 5\n", "test_failure"),
    "crashes": ("def f(x):\n    return 1 // 0\n", "assert f(2) == 5\n", "runtime_error"),
    "asserts itself": ("def f(x):\n    assert False\n", "assert f(2) == 5\n", "runtime_error"),
    "is no Python": ("def f(x:\n", "assert f(2) == 5\n", "runtime_error"),
    "leaves early": ("import sys\nsys.exit(0)\n", "assert f(2) == 5\n", "test_failure"),
    "leaves early and fast": ("import os\nos._exit(0)\n", "assert f(2) == 5\n", "test_failure"),
    "leaves with 3": ("import sys\nsys.exit(3)\n", "assert f(2) == 5\n", "runtime_error"),
    "signals itself": ("import os\ndef f(x):\n    os.kill(os.getpid(), 11)\n", "assert f(2) == 5\n", "runtime_error"),
    "never ends": ("def f(x):\n    while True: pass\n", "assert f(2) == 5\n", "time_limit"),
    "is equal to everything": (ALWAYS, "assert f(2) == 5\n", "test_failure"),
    "is equal to everything in a unit test": (ALWAYS, UNIT.format(5), "test_failure"),
    "steals the token": (THIEF, "assert f(2) == 5\n", "tampering"),
    "looks for the words where the driver lies": (LOOKER, "assert f(2) == 5\n", "runtime_error"),
    "hides the test functions": (BLINDER, "def test_a():\n    assert f(2) == 5\n", "test_failure"),
    "hides the unit tests": (BLINDER, UNIT.format(5), "test_failure"),
    "prints success": ("print('passed')\ndef f(x):\n    raise SystemExit(0)\n", "assert f(2) == 5\n", "test_failure"),
    "replaces exec": (
        "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None\n", "assert f(2) == 5\n",
        "test_failure",
    ),
    "replaces the comparison": (
        "def f(x):\n    globals()['__equal__'] = lambda a, b: True\n    return 0\nf(1)\n",
        "f(1)\nassert f(2) == 5\n",
        "tampering",
    ),
    "replaces the runner": (
        "import unittest\nunittest.TestSuite.run = lambda *a, **k: None\ndef f(x):\n    return 1\n",
        UNIT.format(5),
        "tampering",
    ),
    "unit test passes": (TWICE, UNIT.format(4) + "if __name__ == '__main__':\n    unittest.main()\n", "accepted"),
    "unit test fails": (TWICE, UNIT.format(5), "test_failure"),
    "unit test crashes": ("def f(x):\n    return [][1]\n", UNIT.format(5), "runtime_error"),
    "test function passes": (TWICE, "def test_a():\n    assert f(2) == 4\n", "accepted"),
    "test function fails": (TWICE, "def test_a():\n    assert f(2) == 5\n", "test_failure"),
    "function as an argument": (TWICE, "def check(g):\n    assert g(2) == 4\ncheck(f)\n", "accepted"),
    "imported": (TWICE, "from main import f as g\nassert g(2) == 4\n", "accepted"),
    "other comparisons": (TWICE, "assert f(2) == 4.0 == 4 and [f(2)] == [4] and f(2) != 5 and 3 < f(2)\n", "accepted"),
    "a main of its own": (TWICE + "if __name__ == '__main__':\n    print(1 // 0)\n", "assert f(2) == 4\n", "accepted"),
}  # fmt: skip
C_MAIN = "int main(void) {{ assert(f(2) == {}); }}\n"
C_TWICE = "int f(int x) { return 2 * x; }\n"
C_THIEF = """#include <unistd.h>
__attribute__((constructor)) static void steal(void) {
    char b[200];
    if (read(0, b, 199) > 0 && write(1, "\\n", 1) && write(1, b, 32)) write(1, "\\n", 1);
    _exit(0);
}
int f(int x) { return 0; }
"""
C = {
    "passes": (C_TWICE, C_MAIN.format(4), "accepted"),
    "fails": (C_TWICE, C_MAIN.format(5), "test_failure"),
    "returns 1": (C_TWICE, "int main(void) { return f(2) != 5; }\n", "test_failure"),
    "segmentation fault": ("int f(int x) { return *(volatile int *)0; }\n", C_MAIN.format(5), "runtime_error"),
    "asserts itself": (
        "#include <assert.h>\nint f(int x) { assert(x == 7); return 1; }\n", C_MAIN.format(5), "runtime_error",
    ),
    "aborts": ("#include <stdlib.h>\nint f(int x) { abort(); }\n", C_MAIN.format(5), "runtime_error"),
    "does not compile": ("int f(int x) { return 2 * x\n", C_MAIN.format(4), "compile_error"),
    "leaves early": ("#include <stdlib.h>\nint f(int x) { exit(0); }\n", C_MAIN.format(5), "test_failure"),
    "leaves with 3": ("#include <stdlib.h>\nint f(int x) { exit(3); }\n", C_MAIN.format(5), "runtime_error"),
    "a main of its own": (C_TWICE + "int main(void) { return 3; }\n", C_MAIN.format(4), "accepted"),
    "asserts switched off": ("#define NDEBUG\nint f(int x) { return 1; }\n", C_MAIN.format(5), "test_failure"),
    "a comparison of its own": (
        "#define __builtin_strcmp(a, b) 0\nint f(int x) { return 4; }\n", C_MAIN.format(4), "tampering",
    ),
    "steals the token": (C_THIEF, C_MAIN.format(5), "tampering"),
    "prints": (C_TWICE, "#include <stdio.h>\nint main(void) { puts(\"hello\"); assert(f(2) == 4); }\n", "accepted"),
}  # fmt: skip
JS_ASSERT = "const assert = require('assert');\n"
JS_TWICE = "function f(x) { return 2 * x }\n"
JAVASCRIPT = {
    "passes": ("const f = (x) => 2 * x;\n", JS_ASSERT + "assert.strictEqual(f(2), 4)", "accepted"),
    "fails": (JS_TWICE, JS_ASSERT + "assert.deepEqual(f(2), 5)", "test_failure"),
    "throws": (JS_TWICE, "if (f(2) !== 5) throw new Error('no')", "test_failure"),
    "console.assert": (JS_TWICE, "console.assert(f(2) === 5)", "test_failure"),
    "crashes": ("function f(x) { return null.y }\n", JS_ASSERT + "assert.equal(f(2), 5)", "runtime_error"),
    "asserts itself": (
        JS_ASSERT + "function f(x) { assert(false) }\n", JS_ASSERT + "assert.equal(f(2), 5)", "runtime_error",
    ),
    "is no JavaScript": ("function f(x) { return 2 * x\n", JS_ASSERT + "assert.equal(f(2), 4)", "runtime_error"),
    "leaves early": ("function f(x) { process.exit(0) }\n", JS_ASSERT + "assert.equal(f(2), 5)", "test_failure"),
    "leaves with 4": ("function f(x) { process.exit(4) }\n", JS_ASSERT + "assert.equal(f(2), 5)", "runtime_error"),
    "replaces assert": (
        "require('assert').equal = () => {}; function f(x) { return 1 }\n", JS_ASSERT + "assert.equal(f(2), 5)",
        "test_failure",
    ),
    "replaces promises": (
        "Promise.prototype.then = function (done) { done() }; function f(x) { return 1 }\n",
        JS_ASSERT + "assert.equal(f(2), 5)",
        "test_failure",
    ),
    "exports": (
        JS_TWICE + "module.exports = { f }\n",
        "const { f: g } = require('./main.js');\nconsole.assert(g(2) === 4)",
        "accepted",
    ),
    "awaits": ("async function f(x) { return 2 * x }\n", JS_ASSERT + "assert.equal(await f(2), 4)", "accepted"),
    "fails later": (JS_TWICE, JS_ASSERT + "setTimeout(() => assert.equal(f(2), 5), 20)", "test_failure"),
    "node:test passes": (
        JS_TWICE, JS_ASSERT + "require('node:test')('a', () => assert.equal(f(2), 4))", "accepted",
    ),
    "node:test fails": (
        JS_TWICE, JS_ASSERT + "require('node:test')('a', () => assert.equal(f(2), 5))", "test_failure",
    ),
}  # fmt: skip
LUA_TWICE = "local function f(x) return 2 * x end\n"
LUA = {
    "passes": (LUA_TWICE, "assert(f(2) == 4)", "accepted"),
    "fails": (LUA_TWICE, "assert(f(2) == 5)", "test_failure"),
    "raises": (LUA_TWICE, "if f(2) ~= 5 then error('no') end", "test_failure"),
    "crashes": ("function f(x) return x.y.z end", "assert(f(2) == 5)", "runtime_error"),
    "raises itself": ("function f(x) error('a') end", "assert(f(2) == 5)", "runtime_error"),
    "asserts itself": ("function f(x) assert(false) end", "assert(f(2) == 5)", "runtime_error"),
    "recurses for ever": ("function f(x) return f(x) + 1 end", "assert(f(2) == 5)", "runtime_error"),
    "is no Lua": ("function f(x", "assert(f(2) == 5)", "runtime_error"),
    "leaves early": ("function f(x) os.exit(true) end", "assert(f(2) == 5)", "test_failure"),
    "leaves with 3": ("function f(x) os.exit(3) end", "assert(f(2) == 5)", "runtime_error"),
    "replaces assert": (
        "assert = function(...) return ... end function f(x) return 1 end", "assert(f(2) == 5)", "tampering",
    ),
}  # fmt: skip
PERL_TWICE = "sub f { return 2 * $_[0] }\n"
MORE = "use Test::More;\nis(f(2), {});\ndone_testing();\n"
PERL = {
    "passes": (PERL_TWICE, MORE.format(4), "accepted"),
    "fails": (PERL_TWICE, MORE.format(5), "test_failure"),
    "does not die": (PERL_TWICE, "die 'no' unless f(2) == 4;", "accepted"),
    "dies": (PERL_TWICE, "die 'no' unless f(2) == 5;", "test_failure"),
    "crashes": ("sub f { die 'a' }\n", MORE.format(5), "runtime_error"),
    "is no Perl": ("sub f { \n", MORE.format(5), "runtime_error"),
    "leaves early": ("sub f { exit 0 }\n", MORE.format(5), "test_failure"),
    "leaves with 3": ("sub f { exit 3 }\n", MORE.format(5), "runtime_error"),
    "has a plan": (PERL_TWICE, "use Test::More tests => 2;\nis(f(2), 4);\nis(f(3), 6);\n", "accepted"),
    "fewer than planned": (PERL_TWICE, "use Test::More tests => 3;\nis(f(2), 4);\n", "test_failure"),
    "data behind its end": (PERL_TWICE + "1;\n__END__\nrest\n", MORE.format(4), "accepted"),
    "replaces die": (
        "BEGIN { *CORE::GLOBAL::die = sub {} } sub f { 0 }\n", "die 'no' unless f(2) == 5;", "tampering",
    ),
}  # fmt: skip
R = {
    "passes": ("f <- function(x) 2 * x\n", "stopifnot(f(2) == 4)", "accepted"),
    "fails": ("f <- function(x) 2 * x\n", "stopifnot(f(2) == 5)", "test_failure"),
    "stops": ("f <- function(x) 2 * x\n", "if (f(2) != 5) stop('no')", "test_failure"),
    "crashes": ("f <- function(x) list()[[4]]\n", "stopifnot(f(2) == 5)", "runtime_error"),
    "is no R": ("f <- function(x", "stopifnot(f(2) == 5)", "runtime_error"),
    "leaves early": ("f <- function(x) quit(status = 0)\n", "stopifnot(f(2) == 5)", "test_failure"),
    "replaces stopifnot": (
        "stopifnot <- function(...) invisible()\nf <- function(x) 1\n", "stopifnot(f(2) == 5)", "tampering",
    ),
}  # fmt: skip
JAVA_MAIN = "public class Main {{ static int f(int x) {{ {} }} public static void main(String[] a) {{ f(2); }} }}\n"
JAVA_TESTS = "class Tests {{ public static void main(String[] a) {{ assert Main.f(2) == {}; }} }}\n"
JAVA = {
    "passes": (JAVA_MAIN.format("return 2 * x;"), JAVA_TESTS.format(4), "accepted"),
    "fails": (JAVA_MAIN.format("return 2 * x;"), JAVA_TESTS.format(5), "test_failure"),
    "method throws": (
        JAVA_MAIN.format("return 2 * x;"),
        'class Tests { void testF() { if (Main.f(2) != 5) throw new RuntimeException("no"); } }\n',
        "test_failure",
    ),
    "crashes": (JAVA_MAIN.format("return (new int[1])[x];"), JAVA_TESTS.format(5), "runtime_error"),
    "recurses for ever": (JAVA_MAIN.format("return f(x) + 1;"), JAVA_TESTS.format(5), "runtime_error"),
    "leaves early": (JAVA_MAIN.format("System.exit(0); return 1;"), JAVA_TESTS.format(5), "test_failure"),
    "leaves with 3": (JAVA_MAIN.format("System.exit(3); return 1;"), JAVA_TESTS.format(5), "runtime_error"),
    "does not compile": (JAVA_MAIN.format("return y;"), JAVA_TESTS.format(4), "compile_error"),
}
GO_TESTS = 'package main\nimport "testing"\nfunc TestF(t *testing.T) {{ if f(2) != {} {{ t.Error("no") }} }}\n'
GO = {
    "passes": ("package main\nfunc f(x int) int { return 2 * x }\nfunc main() {}\n", GO_TESTS.format(4), "accepted"),
    "fails": ("package main\nfunc f(x int) int { return 2 * x }\n", GO_TESTS.format(5), "test_failure"),
    "crashes": ("package main\nfunc f(x int) int { return []int{}[x] }\n", GO_TESTS.format(5), "runtime_error"),
    "does not compile": ("package main\nfunc f(x int) int { return y }\n", GO_TESTS.format(4), "compile_error"),
    "leaves early": (
        'package main\nimport "os"\nfunc f(x int) int { os.Exit(0); return 1 }\n', GO_TESTS.format(5), "test_failure",
    ),
}  # fmt: skip
RUST_TESTS = "#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn a() {{ assert_eq!(f(2), {}); }}\n}}\n"
RUST = {
    "passes": ("fn f(x: i32) -> i32 { 2 * x }\nfn main() {}\n", RUST_TESTS.format(4), "accepted"),
    "fails": ("fn f(x: i32) -> i32 { 2 * x }\n", RUST_TESTS.format(5), "test_failure"),
    "panics": ("fn f(x: i32) -> i32 { vec![1][x as usize] }\n", RUST_TESTS.format(5), "runtime_error"),
    "panics as it should": (
        "fn f(x: i32) -> i32 { panic!(\"{x}\") }\n", "#[test]\n#[should_panic]\nfn a() { f(2); }\n", "accepted",
    ),
    "leaves early": ("fn f(x: i32) -> i32 { std::process::exit(0) }\n", RUST_TESTS.format(5), "test_failure"),
    "segmentation fault": (
        "fn f(x: i32) -> i32 { unsafe { *(8 as *const i32) } }\n", RUST_TESTS.format(5), "runtime_error",
    ),
    "does not compile": ("fn f(x: i32) -> i32 { y }\n", RUST_TESTS.format(4), "compile_error"),
}  # fmt: skip
OCAML_TESTS = "let () = assert (f 2 = {})\n"
OCAML = {
    "passes": ("let f x = 2 * x\n", OCAML_TESTS.format(4), "accepted"),
    "fails": ("let f x = 2 * x\n", OCAML_TESTS.format(5), "test_failure"),
    "crashes": ('let f x = failwith "a"\n', OCAML_TESTS.format(5), "runtime_error"),
    "asserts itself": ("let f x = assert (x = 7); 1\n", OCAML_TESTS.format(5), "runtime_error"),
    "recurses for ever": ("let rec f x = 1 + f x\n", OCAML_TESTS.format(5), "runtime_error"),
    "leaves early": ("let f x = exit 0\n", OCAML_TESTS.format(5), "test_failure"),
    "does not compile": ("let f x = y\n", OCAML_TESTS.format(4), "compile_error"),
    "equal to everything": ("let (=) _ _ = true\nlet f x = 1\n", OCAML_TESTS.format(5), "tampering"),
    "equality of its own": ("let (=) : int -> int -> bool = (=)\nlet f x = 2 * x\n", OCAML_TESTS.format(4), "accepted"),
}
MODULE = (
    "module m\ncontains\n  integer function f(x)\n    integer, intent(in) :: x\n    {}\n  end function\nend module\n"
)
FORTRAN_TESTS = "program tests\n  use m\n  print *, f(2)\n  if (f(2) /= {}) error stop 'no'\nend program\n"
FORTRAN = {
    "passes": (MODULE.format("f = 2 * x"), FORTRAN_TESTS.format(4), "accepted"),
    "fails": (MODULE.format("f = 2 * x"), FORTRAN_TESTS.format(5), "test_failure"),
    "reads what is not there": (MODULE.format("read (*, *) f"), FORTRAN_TESTS.format(5), "runtime_error"),
    "leaves early": (MODULE.format("stop"), FORTRAN_TESTS.format(5), "test_failure"),
    "leaves with 3": (MODULE.format("stop 3"), FORTRAN_TESTS.format(5), "runtime_error"),
    "aborts": (MODULE.format("call abort()"), FORTRAN_TESTS.format(5), "runtime_error"),
    "does not compile": (MODULE.format("f = g(x"), FORTRAN_TESTS.format(4), "compile_error"),
}
D_TESTS = "unittest {{ assert(f(2) == {}); }}\n"
D = {
    "passes": ("int f(int x) { return 2 * x; }\n", D_TESTS.format(4), "accepted"),
    "fails": ("int f(int x) { return 2 * x; }\n", D_TESTS.format(5), "test_failure"),
    "crashes": ('int f(int x) { throw new Exception("a"); }\n', D_TESTS.format(5), "runtime_error"),
    "asserts itself": ("int f(int x) { assert(x == 7); return 1; }\n", D_TESTS.format(5), "runtime_error"),
    "leaves early": (
        "import core.stdc.stdlib; int f(int x) { exit(0); return 1; }\n", D_TESTS.format(5), "test_failure",
    ),
    "a main of its own": ("int f(int x) { return 2 * x; }\nint main() { return 3; }\n", D_TESTS.format(4), "accepted"),
    "does not compile": ("int f(int x) { return y; }\n", D_TESTS.format(4), "compile_error"),
}  # fmt: skip
PASCAL_TWICE = "function f(x: longint): longint; begin f := {}; end;\n"
PASCAL = {
    "passes": (PASCAL_TWICE.format("2 * x"), "assert(f(2) = 4);", "accepted"),
    "fails": (PASCAL_TWICE.format("2 * x"), "assert(f(2) = 5);", "test_failure"),
    "crashes": (PASCAL_TWICE.format("1 div (x - 2)"), "assert(f(2) = 5);", "runtime_error"),
    "asserts itself": (
        "{$assertions on}\n" + PASCAL_TWICE.format("0; assert(x = 7)"), "assert(f(2) = 5);", "runtime_error",
    ),
    "leaves early": (PASCAL_TWICE.format("0; halt(0)"), "assert(f(2) = 5);", "test_failure"),
    "leaves with 3": (PASCAL_TWICE.format("0; halt(3)"), "assert(f(2) = 5);", "runtime_error"),
    "does not compile": (PASCAL_TWICE.format("y"), "assert(f(2) = 4);", "compile_error"),
    "an assert of its own": (
        "procedure assert(same: boolean); begin end;\n" + PASCAL_TWICE.format("1"), "assert(f(2) = 5);", "tampering",
    ),
}  # fmt: skip
HASKELL_TESTS = "tests :: IO ()\ntests = assert (f 2 == {}) (pure ())\n"
HASKELL = {
    "passes": ("f :: Int -> Int\nf x = 2 * x\n", HASKELL_TESTS.format(4), "accepted"),
    "fails": ("f :: Int -> Int\nf x = 2 * x\n", HASKELL_TESTS.format(5), "test_failure"),
    "crashes": ('f :: Int -> Int\nf x = error "a"\n', HASKELL_TESTS.format(5), "runtime_error"),
    "asserts itself": (
        "import Control.Exception\nf :: Int -> Int\nf x = assert (x == 7) 1\n",
        HASKELL_TESTS.format(5),
        "runtime_error",
    ),
    "leaves early": (
        "import System.Exit\nimport System.IO.Unsafe\nf :: Int -> Int\nf x = unsafePerformIO exitSuccess\n",
        HASKELL_TESTS.format(5),
        "test_failure",
    ),
    "does not compile": ("f :: Int -> Int\nf x = y\n", HASKELL_TESTS.format(4), "compile_error"),
}  # fmt: skip
ADA_F = "{}function F (X : Integer) return Integer is\nbegin\n   {}\nend F;\n"
ADA_TESTS = "with F;\nprocedure Tests is\nbegin\n   pragma Assert (F (2) = {});\nend Tests;\n"
ADA = {
    "passes": (ADA_F.format("", "return 2 * X;"), ADA_TESTS.format(4), "accepted"),
    "fails": (ADA_F.format("", "return 2 * X;"), ADA_TESTS.format(5), "test_failure"),
    "crashes": (ADA_F.format("", "return 10 / (X - 2);"), ADA_TESTS.format(5), "runtime_error"),
    "asserts itself": (ADA_F.format("", "pragma Assert (X = 7); return 1;"), ADA_TESTS.format(5), "runtime_error"),
    "leaves early": (
        ADA_F.format("with GNAT.OS_Lib; ", "GNAT.OS_Lib.OS_Exit (0); return 1;"), ADA_TESTS.format(5), "test_failure",
    ),
    "does not compile": (ADA_F.format("", "return Y;"), ADA_TESTS.format(4), "compile_error"),
}  # fmt: skip
KNOWN = {
    "python": PYTHON, "c": C, "cpp": C, "javascript": JAVASCRIPT, "lua": LUA, "perl": PERL, "r": R, "java": JAVA,
    "go": GO, "rust": RUST, "ocaml": OCAML, "fortran": FORTRAN, "d": D, "pascal": PASCAL, "haskell": HASKELL,
    "ada": ADA,
}  # fmt: skip
