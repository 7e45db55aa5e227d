"""Programs beside their tests, with their verdicts: languages of Java's machine, of Mono, of Node.js; Objective-C."""

from __future__ import annotations

Table = dict[str, tuple[str, str, str]]

TS_ASSERT = 'import assert from "assert";\n'
TS_TWICE = "function f(x: number): number { return 2 * x }\n"
TYPESCRIPT: Table = {
    "passes": ("const f = (x: number) => 2 * x;\n", TS_ASSERT + "assert.strictEqual(f(2), 4)", "accepted"),
    "fails": (TS_TWICE, TS_ASSERT + "assert.deepEqual(f(2), 5)", "test_failure"),
    "throws": (TS_TWICE, "if (f(2) !== 5) throw new Error('no')", "test_failure"),
    "console.assert": (TS_TWICE, "console.assert(f(2) === 5)", "test_failure"),
    "crashes": (
        "function f(x: any): number { return x.y.z }\n", TS_ASSERT + "assert.equal(f(2), 5)", "runtime_error",
    ),
    "asserts itself": (
        "import * as own from 'assert';\nfunction f(x: number): number { own.ok(false); return 1 }\n",
        TS_ASSERT + "assert.equal(f(2), 5)",
        "runtime_error",
    ),
    "types above the program": (
        "interface A {\n    x: number\n    y: number\n}\n\ntype B = A[];\n" + TS_TWICE,
        TS_ASSERT + "assert.equal(f(2), 5)",
        "test_failure",
    ),
    "a type error": ("function f(x: number): string { return x }\n", "f(2);", "compile_error"),
    "a type error in a call": (TS_TWICE, TS_ASSERT + "assert.equal(f('2'), 4)", "compile_error"),
    "leaves early": (
        "function f(x: number): number { process.exit(0) }\n", TS_ASSERT + "assert.equal(f(2), 5)", "test_failure",
    ),
    "leaves with 4": (
        "function f(x: number): number { process.exit(4) }\n", TS_ASSERT + "assert.equal(f(2), 5)", "runtime_error",
    ),
    "replaces assert": (
        "const own = require('assert'); own.equal = () => {}; function f(x: number): number { return 1 }\n",
        TS_ASSERT + "assert.equal(f(2), 5)",
        "runtime_error",
    ),
    "exports": ("export " + TS_TWICE, "console.assert(f(2) === 4)", "accepted"),
    "fails later": (TS_TWICE, TS_ASSERT + "setTimeout(() => assert.equal(f(2), 5), 20)", "test_failure"),
    "rejects": (TS_TWICE, "async function t() { if (f(2) !== 5) throw new Error('no') }\nt();\n", "test_failure"),
    "node:test passes": (
        TS_TWICE, TS_ASSERT + "import test from 'node:test';\ntest('a', () => assert.equal(f(2), 4))", "accepted",
    ),
    "node:test fails": (
        TS_TWICE, TS_ASSERT + "import test from 'node:test';\ntest('a', () => assert.equal(f(2), 5))", "test_failure",
    ),
}  # fmt: skip
KOTLIN_TWICE = "fun f(x: Int) = 2 * x\n"
KOTLIN_TESTS = "fun main() {{\n    check(f(2) == {})\n}}\n"
KOTLIN: Table = {
    "passes": (KOTLIN_TWICE, KOTLIN_TESTS.format(4), "accepted"),
    "fails": (KOTLIN_TWICE + "fun main() = println(1)\n", KOTLIN_TESTS.format(5), "test_failure"),
    "functions": (
        KOTLIN_TWICE, "fun testA() { assert(f(2) == 4) }\nfun testB() { assert(f(2) == 5) }\n", "test_failure",
    ),
    "a class of tests": (
        KOTLIN_TWICE,
        "import kotlin.test.*\nclass Tests { fun testF() { assertEquals(5, f(2)) } }\n",
        "test_failure",
    ),
    "a package": (
        "package some.place\n" + KOTLIN_TWICE, "package some.place\n" + KOTLIN_TESTS.format(4), "accepted",
    ),
    "no tests": (KOTLIN_TWICE, "val x = f(2)\n", "test_failure"),
    "crashes": ("fun f(x: Int): Int = intArrayOf()[x]\n", KOTLIN_TESTS.format(5), "runtime_error"),
    "checks itself": ("fun f(x: Int): Int { check(x == 7); return 1 }\n", KOTLIN_TESTS.format(5), "runtime_error"),
    "recurses for ever": ("fun f(x: Int): Int = f(x) + 1\n", KOTLIN_TESTS.format(5), "runtime_error"),
    "leaves early": (
        "fun f(x: Int): Int { kotlin.system.exitProcess(0) }\n", KOTLIN_TESTS.format(5), "test_failure",
    ),
    "leaves with 3": (
        "fun f(x: Int): Int { kotlin.system.exitProcess(3) }\n", KOTLIN_TESTS.format(5), "runtime_error",
    ),
    "does not compile": ("fun f(x: Int): Int = y\n", KOTLIN_TESTS.format(4), "compile_error"),
    "a check of its own": (
        "fun check(right: Boolean) {}\nfun f(x: Int) = 1\n", KOTLIN_TESTS.format(5), "tampering",
    ),
}  # fmt: skip
SCALA_TWICE = "def f(x: Int): Int = 2 * x\n"
SCALA_TESTS = "@main def tests(): Unit =\n  assert(f(2) == {})\n"
SCALA: Table = {
    "passes": (SCALA_TWICE, SCALA_TESTS.format(4), "accepted"),
    "fails": (SCALA_TWICE + "@main def run(): Unit = println(1)\n", SCALA_TESTS.format(5), "test_failure"),
    "an object": (
        SCALA_TWICE, "object Tests:\n  def testF(): Unit = assert(f(2) == 5)\n", "test_failure",
    ),
    "an application": (SCALA_TWICE, "object Tests extends App { assert(f(2) == 5) }\n", "test_failure"),
    "a class": (
        SCALA_TWICE, "class Tests:\n  def testF(): Unit = if f(2) != 5 then throw Exception()\n", "test_failure",
    ),
    "crashes": ("def f(x: Int): Int = Array(0)(x)\n", SCALA_TESTS.format(5), "runtime_error"),
    "asserts itself": ("def f(x: Int): Int = { assert(x == 7); 1 }\n", SCALA_TESTS.format(5), "runtime_error"),
    "leaves early": ("def f(x: Int): Int = sys.exit(0)\n", SCALA_TESTS.format(5), "test_failure"),
    "leaves with 3": ("def f(x: Int): Int = sys.exit(3)\n", SCALA_TESTS.format(5), "runtime_error"),
    "does not compile": ("def f(x: Int): Int = y\n", SCALA_TESTS.format(4), "compile_error"),
}  # fmt: skip
GROOVY_TWICE = "def f(x) { 2 * x }\n"
GROOVY: Table = {
    "passes": (GROOVY_TWICE, "assert f(2) == 4", "accepted"),
    "fails": (GROOVY_TWICE, "assert f(2) == 5", "test_failure"),
    "throws": (GROOVY_TWICE, "if (f(2) != 5) throw new Exception('no')", "test_failure"),
    "missing function": ("def x = 1\n", "assert f(2) == 5", "test_failure"),
    "a class": ("class A { static f(x) { 2 * x } }\n", "assert A.f(2) == 5", "test_failure"),
    "a package": ("package some.place\n" + GROOVY_TWICE, "assert f(2) == 4", "accepted"),
    "crashes": ("def f(x) { [0].get(x) }\n", "assert f(2) == 5", "runtime_error"),
    "asserts itself": ("def f(x) { assert x == 7 }\n", "assert f(2) == 5", "runtime_error"),
    "is no Groovy": ("def f(x {\n", "assert f(2) == 5", "compile_error"),
    "leaves early": ("def f(x) { System.exit(0) }\n", "assert f(2) == 5", "test_failure"),
    "leaves with 3": ("def f(x) { System.exit(3) }\n", "assert f(2) == 5", "runtime_error"),
    "returns early": (GROOVY_TWICE + "return 1\n", "assert f(2) == 5", "test_failure"),
    "steals the token": (
        "println driver.Driver.words[0]\nSystem.out.flush()\nRuntime.runtime.halt(0)\n",
        "assert f(2) == 5",
        "tampering",
    ),
}  # fmt: skip
CS_PROGRAM = "static class Program {{ public static int F(int x) {{ {} }} }}\n"
CS_TESTS = "using System.Diagnostics;\nclass Tests {{ static void Main() {{ Debug.Assert(Program.F(2) == {}); }} }}\n"
CSHARP: Table = {
    "passes": (CS_PROGRAM.format("return 2 * x;"), CS_TESTS.format(4), "accepted"),
    "fails": (
        CS_PROGRAM.format("return 2 * x;") + "class A { static void Main() {} }\n", CS_TESTS.format(5), "test_failure",
    ),
    "method throws": (
        CS_PROGRAM.format("return 2 * x;"),
        'class Tests { void TestF() { if (Program.F(2) != 5) throw new System.Exception("no"); } }\n',
        "test_failure",
    ),
    "crashes": (CS_PROGRAM.format("return new int[1][x];"), CS_TESTS.format(5), "runtime_error"),
    "asserts itself": (
        CS_PROGRAM.format("System.Diagnostics.Debug.Assert(x == 7); return 1;"), CS_TESTS.format(5), "runtime_error",
    ),
    "recurses for ever": (CS_PROGRAM.format("return F(x) + 1;"), CS_TESTS.format(5), "runtime_error"),
    "leaves early": (CS_PROGRAM.format("System.Environment.Exit(0); return 1;"), CS_TESTS.format(5), "test_failure"),
    "leaves with 3": (CS_PROGRAM.format("System.Environment.Exit(3); return 1;"), CS_TESTS.format(5), "runtime_error"),
    "does not compile": (CS_PROGRAM.format("return y;"), CS_TESTS.format(4), "compile_error"),
    "removes who listens": (
        CS_PROGRAM.format("System.Diagnostics.Debug.Listeners.Clear(); return 1;"), CS_TESTS.format(5), "tampering",
    ),
    "prints": (CS_PROGRAM.format('System.Console.WriteLine("passed"); return 4;'), CS_TESTS.format(4), "accepted"),
}  # fmt: skip
OBJC_MAIN = "int main(void) {{ @autoreleasepool {{ assert(f(2) == {}); }} return 0; }}\n"
OBJC_TWICE = "int f(int x) { return 2 * x; }\n"
OBJECTIVEC: Table = {
    "passes": (OBJC_TWICE, OBJC_MAIN.format(4), "accepted"),
    "fails": (OBJC_TWICE, OBJC_MAIN.format(5), "test_failure"),
    "returns 1": (OBJC_TWICE, "int main(void) { return f(2) != 5; }\n", "test_failure"),
    "NSCAssert": (OBJC_TWICE, 'int main(void) { NSCAssert(f(2) == 5, @"no"); }\n', "test_failure"),
    "an exception": (
        "int f(int x) { return [[@[] objectAtIndex:x] intValue]; }\n", OBJC_MAIN.format(5), "runtime_error",
    ),
    "asserts itself": (
        '#import <Foundation/Foundation.h>\nint f(int x) { NSCAssert(x == 7, @"no"); return 1; }\n',
        OBJC_MAIN.format(5),
        "runtime_error",
    ),
    "segmentation fault": ("int f(int x) { return *(volatile int *)0; }\n", OBJC_MAIN.format(5), "runtime_error"),
    "leaves early": ("int f(int x) { exit(0); }\n", OBJC_MAIN.format(5), "test_failure"),
    "leaves with 3": ("int f(int x) { exit(3); }\n", OBJC_MAIN.format(5), "runtime_error"),
    "a main of its own": (OBJC_TWICE + "int main(void) { return 3; }\n", OBJC_MAIN.format(4), "accepted"),
    "does not compile": ("int f(int x) { return 2 * x\n", OBJC_MAIN.format(4), "compile_error"),
}  # fmt: skip
KNOWN = {
    "typescript": TYPESCRIPT, "kotlin": KOTLIN, "scala": SCALA, "groovy": GROOVY, "csharp": CSHARP,
    "objectivec": OBJECTIVEC,
}  # fmt: skip
