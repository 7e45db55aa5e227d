"""Programs with tests in the languages of other Debian suites: each with its tests, and the verdict it deserves."""

from __future__ import annotations

JULIA_TWICE = "f(x) = 2x\n"
JULIA = {
    "passes": (JULIA_TWICE, "@test f(2) == 4\n@test f(3) == 6\n", "accepted"),
    "fails": (JULIA_TWICE, "@test f(2) == 5\n", "test_failure"),
    "assertion": (JULIA_TWICE, "@assert f(2) == 5\n", "test_failure"),
    "test set passes": (JULIA_TWICE, "using Test\n@testset \"f\" begin\n    @test f(2) == 4\nend\n", "accepted"),
    "test set fails": (JULIA_TWICE, "@testset \"f\" begin\n    @test f(2) == 5\nend\n", "test_failure"),
    "test set crashes": ("f(x) = [1][x]\n", "@testset \"f\" begin\n    @test f(2) == 5\nend\n", "runtime_error"),
    "expects an exception": ("f(x) = error(\"no\")\n", "@test_throws ErrorException f(2)\n", "accepted"),
    "missing function": ("x = 1\n", "@test f(2) == 5\n", "test_failure"),
    "broken tests": (JULIA_TWICE, "@test f(2 == 5\n", "test_failure"),
    "crashes": ("f(x) = [1][x]\n", "@test f(2) == 5\n", "runtime_error"),
    "crashes at once": ("error(\"no\")\n", "@test true\n", "runtime_error"),
    "asserts itself": ("f(x) = (@assert false; 1)\n", "@test f(2) == 5\n", "runtime_error"),
    "is no Julia": ("f(x = 2x\n", "@test f(2) == 4\n", "runtime_error"),
    "leaves early": ("f(x) = exit(0)\n", "@test f(2) == 5\n", "test_failure"),
    "leaves with 3": ("f(x) = exit(3)\n", "@test f(2) == 5\n", "runtime_error"),
    "prints": ("println(\"passed\")\nf(x) = (println(x); 2x)\n", "@test f(2) == 4\n", "accepted"),
    "prints what it was not told": ("println(\"0\" ^ 32)\nexit(0)\n", "@test f(2) == 4\n", "test_failure"),
    "steals the token": (
        "println(Main.Driver.passed)\nexit(0)\n", "@test f(2) == 5\n", "tampering",
    ),
}  # fmt: skip
JANET_TWICE = "(defn f [x] (* 2 x))\n"
JANET = {
    "passes": (JANET_TWICE, "(assert (= (f 2) 4))\n(assert (= (f 3) 6))\n", "accepted"),
    "fails": (JANET_TWICE, "(assert (= (f 2) 5))\n", "test_failure"),
    "raises": (JANET_TWICE, "(unless (= (f 2) 5) (error \"no\"))\n", "test_failure"),
    "names that nobody exports": ("(def- two 2)\n(defn- f [x] (* two x))\n", "(assert (= (f 2) 4))\n", "accepted"),
    "missing function": ("(def x 1)\n", "(assert (= (f 2) 4))\n", "test_failure"),
    "broken tests": (JANET_TWICE, "(assert (= (f 2) 4)\n", "test_failure"),
    "crashes": ("(defn f [x] (+ nil x))\n", "(assert (= (f 2) 4))\n", "runtime_error"),
    "crashes at once": ("(error \"no\")\n", "(assert true)\n", "runtime_error"),
    "asserts itself": ("(defn f [x] (assert false) 1)\n", "(assert (= (f 2) 4))\n", "runtime_error"),
    "is no Janet": ("(defn f [x] (* 2 x)\n", "(assert (= (f 2) 4))\n", "runtime_error"),
    "a main of its own": (JANET_TWICE + "(defn main [&] (error \"no\"))\n", "(assert (= (f 2) 4))\n", "accepted"),
    "leaves early": ("(defn f [x] (os/exit 0))\n", "(assert (= (f 2) 4))\n", "test_failure"),
    "leaves with 3": ("(defn f [x] (os/exit 3))\n", "(assert (= (f 2) 4))\n", "runtime_error"),
    "prints": ("(print \"passed\")\n(defn f [x] (print x) (* 2 x))\n", "(assert (= (f 2) 4))\n", "accepted"),
    "replaces the assertion": (
        "(defmacro assert [&] nil)\n(defn f [x] 1)\n", "(assert (= (f 2) 4))\n", "tampering",
    ),
    "steals the token": (
        "(each frame (debug/stack (fiber/root))\n"
        "  (each slot (or (frame :slots) [])\n"
        "    (when (and (bytes? slot) (= 32 (length slot))) (print slot) (os/exit 0))))\n",
        "(assert (= (f 2) 4))\n",
        "test_failure",
    ),
}  # fmt: skip
SWIFT_TWICE = "func f(_ x: Int) -> Int { 2 * x }\n"
SWIFT_F = "import Foundation\nfunc f(_ x: Int) -> Int {{ {} }}\n"
SWIFT = {
    "passes": (SWIFT_TWICE, "assert(f(2) == 4)\nprecondition(f(3) == 6)\nXCTAssertEqual(f(1), 2)\n", "accepted"),
    "fails": (SWIFT_TWICE, "assert(f(2) == 5)\n", "test_failure"),
    "comparison of XCTest fails": (SWIFT_TWICE, "import XCTest\nXCTAssertEqual(f(2), 5)\n", "test_failure"),
    "tests of a kind of their own": (
        SWIFT_TWICE, "func check(_ y: Int) { if f(2) != y { fatalError() } }\ncheck(5)\n", "test_failure",
    ),
    "crashes": ("func f(_ x: Int) -> Int { [1][x] }\n", "assert(f(2) == 5)\n", "runtime_error"),
    "asserts itself": ("func f(_ x: Int) -> Int { assert(x == 7); return 1 }", "assert(f(2) == 5)\n", "runtime_error"),
    "is no Swift": ("func f(_ x: Int) -> Int { 2 * x\n", "assert(f(2) == 4)\n", "compile_error"),
    "leaves early": (SWIFT_F.format("exit(0)"), "assert(f(2) == 5)\n", "test_failure"),
    "leaves with 3": (SWIFT_F.format("exit(3)"), "assert(f(2) == 5)\n", "runtime_error"),
    "prints": ("print(\"passed\")\n" + SWIFT_TWICE, "print(f(2))\nassert(f(2) == 4)\n", "accepted"),
    "asks for the token": (SWIFT_F.format("print(driverWord(0)); exit(0)"), "assert(f(2) == 5)\n", "tampering"),
}  # fmt: skip
KNOWN = {"julia": JULIA, "janet": JANET, "swift": SWIFT}
