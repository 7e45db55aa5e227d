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
KNOWN = {"erlang": ERLANG}
