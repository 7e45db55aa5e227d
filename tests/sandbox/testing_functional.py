"""Programs and tests in functional languages, and what they are judged to be."""

from __future__ import annotations

ERLANG_F = "-module(main).\n\nf(X) -> {}.\n"
ERLANG_TESTS = '-module(tests).\n-include_lib("eunit/include/eunit.hrl").\n\nf_test() -> ?assertEqual({}, main:f(2)).\n'
ERLANG_GENERATOR = ERLANG_TESTS.format(4) + "g_test_() -> [?_assertEqual({}, main:f(2))].\n"
ERLANG = {
    "passes": (ERLANG_F.format("2 * X"), ERLANG_TESTS.format(4), "accepted"),
    "fails": (ERLANG_F.format("2 * X"), ERLANG_TESTS.format(5), "test_failure"),
    "matches": (ERLANG_F.format("2 * X"), "-module(tests).\na_test() -> 4 = main:f(2).\n", "accepted"),
    "does not match": (ERLANG_F.format("2 * X"), "-module(tests).\na_test() -> 5 = main:f(2).\n", "test_failure"),
    "raises": (
        ERLANG_F.format("2 * X"), "-module(tests).\na_test() -> main:f(2) == 5 orelse error(no).\n", "test_failure",
    ),
    "generator passes": (ERLANG_F.format("2 * X"), ERLANG_GENERATOR.format(4), "accepted"),
    "generator fails": (ERLANG_F.format("2 * X"), ERLANG_GENERATOR.format(5), "test_failure"),
    "no tests": (ERLANG_F.format("2 * X"), "-module(tests).\n", "test_failure"),
    "missing function": ("-module(main).\n", ERLANG_TESTS.format(4), "runtime_error"),
    "crashes": (ERLANG_F.format("X + a"), ERLANG_TESTS.format(5), "runtime_error"),
    "crashes in a library": (ERLANG_F.format("lists:nth(X, [])"), ERLANG_TESTS.format(5), "runtime_error"),
    "matches itself": (ERLANG_F.format("7 = X"), ERLANG_TESTS.format(5), "runtime_error"),
    "error is expected": (
        ERLANG_F.format("X + a"), ERLANG_TESTS.format(5).replace("assertEqual(5", "assertError(badarith"), "accepted",
    ),
    "leaves early": (ERLANG_F.format("halt(0)"), ERLANG_TESTS.format(5), "test_failure"),
    "leaves with 3": (ERLANG_F.format("halt(3)"), ERLANG_TESTS.format(5), "runtime_error"),
    "prints": (ERLANG_F.format('io:format("passed~n"), 2 * X'), ERLANG_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        ERLANG_F.format('io:format("~32..0b~n", [7]), halt(0)'), ERLANG_TESTS.format(5), "test_failure",
    ),
    "does not compile": (ERLANG_F.format("Y"), ERLANG_TESTS.format(4), "compile_error"),
}  # fmt: skip
SCHEME_F = "(define (f x) {})\n"
SCHEME_TESTS = "(assert (= (f 2) {}))\n"
SCHEME_64 = '(import (srfi 64))\n(test-begin "a")\n(test-equal {} (f 2))\n(test-end "a")\n'
SCHEME = {
    "passes": (SCHEME_F.format("(* 2 x)"), SCHEME_TESTS.format(4), "accepted"),
    "fails": (SCHEME_F.format("(* 2 x)"), SCHEME_TESTS.format(5), "test_failure"),
    "raises": (SCHEME_F.format("(* 2 x)"), '(unless (= (f 2) 5) (error "no"))\n', "test_failure"),
    "missing function": ("(define x 1)\n", SCHEME_TESTS.format(5), "test_failure"),
    "broken tests": (SCHEME_F.format("(* 2 x)"), "(assert (= (f 2) 4)\n", "test_failure"),
    "passes in SRFI 64": (SCHEME_F.format("(* 2 x)"), SCHEME_64.format(4), "accepted"),
    "fails in SRFI 64": (SCHEME_F.format("(* 2 x)"), SCHEME_64.format(5), "test_failure"),
    "missing function in SRFI 64": ("(define x 1)\n", SCHEME_64.format(5), "test_failure"),
    "crashes": (SCHEME_F.format("(+ x 'a)"), SCHEME_TESTS.format(5), "runtime_error"),
    "crashes in a tail call": (SCHEME_F.format("(error x)"), SCHEME_TESTS.format(5), "runtime_error"),
    "crashes in SRFI 64": (SCHEME_F.format("(string-append x)"), SCHEME_64.format(5), "runtime_error"),
    "error is expected": (SCHEME_F.format("(car x)"), "(import (srfi 64))\n(test-error #t (f 2))\n", "accepted"),
    "mends its own errors": (
        SCHEME_F.format("(catch #t (lambda () (car x)) (lambda _ 4))"), SCHEME_64.format(4), "accepted",
    ),
    "asserts itself": (
        "(import (rnrs))\n" + SCHEME_F.format("(assert (= x 7))"), SCHEME_TESTS.format(5), "runtime_error",
    ),
    "macros": ("(define-syntax f (syntax-rules () ((_ x) (* 2 x))))\n", SCHEME_TESTS.format(4), "accepted"),
    "records": (
        "(use-modules (srfi srfi-9))\n(define-record-type p (make-p a) p? (a p-a))\n",
        "(assert (= (p-a (make-p 4)) 4))\n",
        "accepted",
    ),
    "a module of its own": (
        "(define-module (main))\n" + SCHEME_F.format("(* 2 x)"), SCHEME_TESTS.format(4), "accepted",
    ),
    "leaves early": (SCHEME_F.format("(exit 0)"), SCHEME_TESTS.format(5), "test_failure"),
    "leaves early in SRFI 64": (SCHEME_F.format("(exit 0)"), SCHEME_64.format(5), "test_failure"),
    "leaves with 3": (SCHEME_F.format("(exit 3)"), SCHEME_TESTS.format(5), "runtime_error"),
    "prints": ('(display "passed")\n' + SCHEME_F.format("(* 2 x)"), SCHEME_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        '(display "00000000000000000000000000000007\\n")\n(exit)\n', SCHEME_TESTS.format(5), "test_failure",
    ),
    "an assert of its own": (
        "(define (assert . more) #t)\n" + SCHEME_F.format("1"), SCHEME_TESTS.format(5), "test_failure",
    ),
    "replaces equality": ("(set! = (lambda _ #t))\n" + SCHEME_F.format("1"), SCHEME_TESTS.format(5), "tampering"),
    "does not compile": ("(define (f x) (let))\n", SCHEME_TESTS.format(4), "compile_error"),
}  # fmt: skip
RACKET_F = "#lang racket/base\n(define (f x) {})\n"
RACKET_TESTS = "(require rackunit)\n(check-equal? (f 2) {})\n"
RACKET_CASE = '(require rackunit)\n(test-case "a" (check-equal? (f 2) {}))\n'
RACKET_SUITE = (
    "(require rackunit rackunit/text-ui)\n(define-test-suite s (check-equal? (f 2) {}))\n(void (run-tests s))\n"
)
RACKET = {
    "passes": (RACKET_F.format("(* 2 x)"), RACKET_TESTS.format(4), "accepted"),
    "fails": (RACKET_F.format("(* 2 x)"), RACKET_TESTS.format(5), "test_failure"),
    "raises": (RACKET_F.format("(* 2 x)"), '(unless (= (f 2) 5) (error "no"))\n', "test_failure"),
    "does not raise": (RACKET_F.format("(* 2 x)"), '(unless (= (f 2) 4) (error "no"))\n', "accepted"),
    "missing function": ("#lang racket/base\n", RACKET_TESTS.format(5), "test_failure"),
    "broken tests": (RACKET_F.format("(* 2 x)"), "(require rackunit)\n(check-equal? (f 2) 4\n", "test_failure"),
    "a module with its program": (
        RACKET_F.format("(* 2 x)"), '#lang racket\n(require "main.rkt")\n' + RACKET_TESTS.format(4), "accepted",
    ),
    "test case passes": (RACKET_F.format("(* 2 x)"), RACKET_CASE.format(4), "accepted"),
    "test case fails": (RACKET_F.format("(* 2 x)"), RACKET_CASE.format(5), "test_failure"),
    "test case crashes": (RACKET_F.format("(car x)"), RACKET_CASE.format(5), "runtime_error"),
    "suite passes": (RACKET_F.format("(* 2 x)"), RACKET_SUITE.format(4), "accepted"),
    "suite fails": (RACKET_F.format("(* 2 x)"), RACKET_SUITE.format(5), "test_failure"),
    "suite crashes": (RACKET_F.format("(car x)"), RACKET_SUITE.format(5), "runtime_error"),
    "crashes": (RACKET_F.format("(vector-ref (vector) x)"), RACKET_TESTS.format(5), "runtime_error"),
    "crashes in a tail call": (RACKET_F.format('(error "a")'), RACKET_TESTS.format(5), "runtime_error"),
    "crashes as it should": (
        RACKET_F.format('(error "a")'), "(require rackunit)\n(check-exn exn:fail? (lambda () (f 2)))\n", "accepted",
    ),
    "macros and structures": (
        "#lang racket\n(struct p (a [b #:mutable]))\n(define-syntax-rule (f x) (* 2 x))\n(define (g #:by [n 1]) n)\n",
        RACKET_TESTS.format(4) + "(check-equal? (p-a (struct-copy p (p 1 2) [a 3])) 3)\n(check-equal? (g #:by 7) 7)\n",
        "accepted",
    ),
    "functions of the tests": (
        RACKET_F.format("(* 2 x)"), "(require rackunit)\n(define (g h) (check-equal? (h 2) 4))\n(g f)\n", "accepted",
    ),
    "main and tests of its own": (
        RACKET_F.format("(* 2 x)") + '(module+ main (error "a"))\n(module+ test (error "b"))\n',
        RACKET_TESTS.format(4),
        "accepted",
    ),
    "leaves early": (RACKET_F.format("(exit 0)"), RACKET_TESTS.format(5), "test_failure"),
    "leaves with 3": (RACKET_F.format("(exit 3)"), RACKET_TESTS.format(5), "runtime_error"),
    "prints": (RACKET_F.format('(begin (displayln "passed") 4)'), RACKET_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        '#lang racket/base\n(displayln "00000000000000000000000000000007")\n(exit)\n',
        RACKET_TESTS.format(5),
        "test_failure",
    ),
    "silences checks": (
        "#lang racket\n(require rackunit)\n(define (f x) (current-check-around void) 1)\n",
        "(require rackunit)\n(f 1)\n(check-equal? (f 2) 5)\n",
        "tampering",
    ),
    "does not compile": (RACKET_F.format("(* 2 y)"), RACKET_TESTS.format(4), "compile_error"),
}  # fmt: skip
LISP_F = "(defun f (x) {})\n"
LISP_TESTS = "(assert (= (f 2) {}))\n"
LISP = {
    "passes": (LISP_F.format("(* 2 x)"), LISP_TESTS.format(4), "accepted"),
    "fails": (LISP_F.format("(* 2 x)"), LISP_TESTS.format(5), "test_failure"),
    "raises": (LISP_F.format("(* 2 x)"), '(unless (= (f 2) 5) (error "no"))\n', "test_failure"),
    "missing function": ("(defun g (x) x)\n", LISP_TESTS.format(5), "test_failure"),
    "broken tests": (LISP_F.format("(* 2 x)"), "(assert (= (f 2) 4)\n", "test_failure"),
    "crashes": (LISP_F.format("(+ x (car '(a)))"), LISP_TESTS.format(5), "runtime_error"),
    "crashes in a tail call": (LISP_F.format('(error "~a" x)'), LISP_TESTS.format(5), "runtime_error"),
    "recurses for ever": (LISP_F.format("(+ 1 (f x))"), LISP_TESTS.format(5), "runtime_error"),
    "asserts itself": (LISP_F.format("(assert (= x 7))"), LISP_TESTS.format(5), "runtime_error"),
    "is no Lisp": ("(defun f (x)\n", LISP_TESTS.format(5), "runtime_error"),
    "error is expected": (
        LISP_F.format("(car x)"), "(assert (handler-case (progn (f 2) nil) (error () t)))\n", "accepted",
    ),
    "mends its own errors": (LISP_F.format("(or (ignore-errors (car x)) 4)"), LISP_TESTS.format(4), "accepted"),
    "macros and structures": (
        "(defstruct p a)\n(defmacro f (x) `(* 2 ,x))\n",
        "(let ((p (make-p :a 1)))\n  (setf (p-a p) 7)\n  (assert (equal (mapcar #'p-a (list p p)) '(7 7))))\n"
        + LISP_TESTS.format(4),
        "accepted",
    ),
    "a package of its own": (
        "(defpackage :own (:use :cl))\n(in-package :own)\n" + LISP_F.format("(* 2 x)"),
        LISP_TESTS.format(4),
        "accepted",
    ),
    "functions of the tests": (
        LISP_F.format("(* 2 x)"), "(defun g (h) (funcall h 2))\n(assert (= (g #'f) 4))\n", "accepted",
    ),
    "leaves early": (LISP_F.format("(sb-ext:exit)"), LISP_TESTS.format(5), "test_failure"),
    "leaves with 3": (LISP_F.format("(sb-ext:exit :code 3)"), LISP_TESTS.format(5), "runtime_error"),
    "prints": (LISP_F.format('(format t "passed") (* 2 x)'), LISP_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        '(format t "~%~32,\'0d~%" 7)\n(sb-ext:exit)\n', LISP_TESTS.format(5), "test_failure",
    ),
    "an assert of its own": (
        "(defpackage :own (:use :cl) (:shadow :assert))\n(in-package :own)\n(defmacro assert (&rest more) nil)\n",
        LISP_TESTS.format(5),
        "tampering",
    ),
}  # fmt: skip
NIM_F = "proc f(x: int): int = {}\n"
NIM_TESTS = "doAssert f(2) == {}\n"
NIM_UNIT = 'import std/unittest\ntest "a":\n  check f(2) == {}\n'
NIM = {
    "passes": (NIM_F.format("2 * x"), NIM_TESTS.format(4), "accepted"),
    "fails": (NIM_F.format("2 * x"), NIM_TESTS.format(5), "test_failure"),
    "raises": (NIM_F.format("2 * x"), 'if f(2) != 5: raise newException(ValueError, "no")\n', "test_failure"),
    "unit test passes": (NIM_F.format("2 * x"), NIM_UNIT.format(4), "accepted"),
    "unit test fails": (NIM_F.format("2 * x"), NIM_UNIT.format(5), "test_failure"),
    "unit test crashes": (NIM_F.format("@[1][x]"), NIM_UNIT.format(5), "runtime_error"),
    "exception is expected": (
        'proc f(x: int): int = raise newException(ValueError, "a")\n',
        "import std/unittest\ntest \"a\":\n  expect ValueError: discard f(2)\n",
        "accepted",
    ),
    "crashes": (NIM_F.format("10 div (x - 2)"), NIM_TESTS.format(5), "runtime_error"),
    "asserts itself": ("proc f(x: int): int =\n  assert x == 7\n", NIM_TESTS.format(5), "runtime_error"),
    "a main of its own": (NIM_F.format("2 * x") + "when isMainModule:\n  quit(3)\n", NIM_TESTS.format(4), "accepted"),
    "leaves early": ("proc f(x: int): int = quit(0)\n", NIM_TESTS.format(5), "test_failure"),
    "leaves with 3": ("proc f(x: int): int = quit(3)\n", NIM_TESTS.format(5), "runtime_error"),
    "prints": ('echo "passed"\n' + NIM_F.format("2 * x"), NIM_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        "proc f(x: int): int =\n  echo \"00000000000000000000000000000007\"\n  quit(0)\n",
        NIM_TESTS.format(5),
        "test_failure",
    ),
    "an assert of its own": (
        "template doAssert*(held: bool) = discard held\n" + NIM_F.format("1"), NIM_TESTS.format(5), "tampering",
    ),
    "does not compile": (NIM_F.format("y"), NIM_TESTS.format(4), "compile_error"),
}  # fmt: skip
ELIXIR_F = "defmodule Main do\n  def f(x), do: {}\nend\n"
ELIXIR_TESTS = "assert Main.f(2) == {}\n"
ELIXIR_UNIT = 'defmodule T do\n  use ExUnit.Case\n  test "a" do\n    assert Main.f(2) == {}\n  end\nend\n'
ELIXIR = {
    "passes": (ELIXIR_F.format("2 * x"), ELIXIR_TESTS.format(4), "accepted"),
    "fails": (ELIXIR_F.format("2 * x"), ELIXIR_TESTS.format(5), "test_failure"),
    "raises": (ELIXIR_F.format("2 * x"), 'if Main.f(2) != 5, do: raise("no")\n', "test_failure"),
    "matches": (ELIXIR_F.format("2 * x"), "4 = Main.f(2)\n", "accepted"),
    "does not match": (ELIXIR_F.format("2 * x"), "5 = Main.f(2)\n", "test_failure"),
    "broken tests": (ELIXIR_F.format("2 * x"), "assert (Main.f(2) == 4\n", "test_failure"),
    "unit test passes": (ELIXIR_F.format("2 * x"), "ExUnit.start()\n" + ELIXIR_UNIT.format(4), "accepted"),
    "unit test fails": (ELIXIR_F.format("2 * x"), ELIXIR_UNIT.format(5), "test_failure"),
    "unit test crashes": (ELIXIR_F.format("x + :a"), ELIXIR_UNIT.format(5), "runtime_error"),
    "unit test leaves early": (ELIXIR_F.format("System.halt(x - 2)"), ELIXIR_UNIT.format(5), "test_failure"),
    "crashes": (ELIXIR_F.format("x + :a"), ELIXIR_TESTS.format(5), "runtime_error"),
    "crashes in a library": (ELIXIR_F.format(":lists.nth(x, [])"), ELIXIR_TESTS.format(5), "runtime_error"),
    "raises itself": (ELIXIR_F.format('raise("a")'), ELIXIR_TESTS.format(5), "runtime_error"),
    "is no Elixir": ("defmodule Main do\n  def f(x\n", ELIXIR_TESTS.format(5), "runtime_error"),
    "leaves early": (ELIXIR_F.format("System.halt(x - 2)"), ELIXIR_TESTS.format(5), "test_failure"),
    "leaves with 3": (ELIXIR_F.format("System.halt(x + 1)"), ELIXIR_TESTS.format(5), "runtime_error"),
    "prints": ('IO.puts("passed")\n' + ELIXIR_F.format("2 * x"), ELIXIR_TESTS.format(4), "accepted"),
    "prints a word like a driver's": (
        'IO.puts("00000000000000000000000000000007")\nSystem.halt(0)\n', ELIXIR_TESTS.format(5), "test_failure",
    ),
}  # fmt: skip
KNOWN = {"erlang": ERLANG, "scheme": SCHEME, "racket": RACKET, "commonlisp": LISP, "nim": NIM, "elixir": ELIXIR}
