"""Programs with their tests in languages near the machine, and in Tengo: read by test_testing.py."""

ASSEMBLY_F = "        global f\n        section .text\nf:      {}\n        ret\n"
ASSEMBLY_TESTS = "long f(long);\nint main(void) {{ assert(f(2) == {}); }}\n"
ASSEMBLY_TWICE = ASSEMBLY_F.format("lea rax, [rdi + rdi]")
ASSEMBLY = {
    "passes": (ASSEMBLY_TWICE, ASSEMBLY_TESTS.format(4), "accepted"),
    "fails": (ASSEMBLY_TWICE, ASSEMBLY_TESTS.format(5), "test_failure"),
    "returns 1": (ASSEMBLY_TWICE, "long f(long);\nint main(void) { return f(2) != 5; }\n", "test_failure"),
    "segmentation fault": (ASSEMBLY_F.format("mov rax, [rdi]"), ASSEMBLY_TESTS.format(5), "runtime_error"),
    "leaves early": (
        ASSEMBLY_F.format("mov eax, 60\n        xor edi, edi\n        syscall"),
        ASSEMBLY_TESTS.format(5),
        "test_failure",
    ),
    "leaves with 3": (
        ASSEMBLY_F.format("mov edi, 3\n        mov eax, 60\n        syscall"),
        ASSEMBLY_TESTS.format(5),
        "runtime_error",
    ),
    "prints what looks like a pass": (
        "        extern puts, exit\n        global f\n        section .text\nf:      push rbx\n        mov rdi, text\n"
        '        call puts\n        xor edi, edi\n        call exit\ntext:   db "' + 32 * "0" + '", 0\n',
        ASSEMBLY_TESTS.format(5),
        "test_failure",
    ),
    "a main of its own": (
        "        global main\n" + ASSEMBLY_TWICE + "main:   mov eax, 3\n        ret\n",
        ASSEMBLY_TESTS.format(4),
        "accepted",
    ),
    "does not compile": (ASSEMBLY_F.format("mov rax, missing"), ASSEMBLY_TESTS.format(4), "compile_error"),
    "missing function": ("        section .text\n", ASSEMBLY_TESTS.format(4), "compile_error"),
}  # fmt: skip
TENGO_TWICE = "f := func(x) { return 2 * x }\n"
TENGO = {
    "passes": (TENGO_TWICE, "assert(f(2) == 4)", "accepted"),
    "fails": (TENGO_TWICE, "assert(f(2) == 5, \"f(2)\")", "test_failure"),
    "crashes": ("f := func(x) { return x / (x - 2) }\n", "assert(f(2) == 5)", "runtime_error"),
    "recurses for ever": ("f := func(x) { return 1 + f(x) }\n", "assert(f(2) == 5)", "runtime_error"),
    "is no Tengo": ("f := func(x", "assert(f(2) == 5)", "runtime_error"),
    "leaves early": ("os := import(\"os\")\nf := func(x) { os.exit(0) }\n", "assert(f(2) == 5)", "test_failure"),
    "leaves with 3": ("os := import(\"os\")\nf := func(x) { os.exit(3) }\n", "assert(f(2) == 5)", "runtime_error"),
    "prints what looks like a pass": (
        f"import(\"fmt\").println(\"{32 * '0'}\")\nimport(\"os\").exit(0)\n", "assert(false)", "test_failure",
    ),
    "an assert of its own": (
        "assert := func(...x) {}\nf := func(x) { return 1 }\n", "assert(f(2) == 5)", "test_failure",
    ),
    "helpers and modules": (
        "text := import(\"text\")\nup := text.to_upper\nf := func(s) { return up(s) }\n",
        "same := func(a, b) { assert(f(a) == b) }\nsame(\"a\", \"A\")",
        "accepted",
    ),
}  # fmt: skip
VHDL_F = """use std.textio.all;
package p is
  function f(x : integer) return natural;
end;
package body p is
  {}
  function f(x : integer) return natural is
  begin
    {}
  end;
end;
"""
VHDL_TESTS = """use work.p.all;
entity tests is end;
architecture simulated of tests is
begin
  process
    variable n : integer := 2;
  begin
    {}
  end process;
end;
"""
VHDL_TWICE = VHDL_F.format("", "return 2 * x;")
# A function may not stop the simulation unless it is impure, and one that is called before time begins is run at once.
VHDL_STOP = VHDL_F.replace("function", "impure function")
VHDL = {
    "passes": (VHDL_TWICE, VHDL_TESTS.format("assert f(n) = 4; assert f(3) = 6; wait;"), "accepted"),
    "finishes": (VHDL_TWICE, VHDL_TESTS.format("assert f(n) = 4; wait for 1 ns; std.env.finish;"), "accepted"),
    "stops with 1": (VHDL_TWICE, VHDL_TESTS.format("if f(n) /= 5 then std.env.stop(1); end if; wait;"), "test_failure"),
    "fails": (VHDL_TWICE, VHDL_TESTS.format("assert f(n) = 5 report \"no\" severity error; wait;"), "test_failure"),
    "fails hard": (VHDL_TWICE, VHDL_TESTS.format("assert f(n) = 5 severity failure; wait;"), "test_failure"),
    "reports a failure": (
        VHDL_TWICE,
        VHDL_TESTS.format('if f(n) /= 5 then report "no" severity failure; end if; wait;'),
        "test_failure",
    ),
    "warns": (VHDL_TWICE, VHDL_TESTS.format("assert f(n) = 5 severity warning; wait;"), "accepted"),
    "crashes": (VHDL_F.format("", "return 0 - x;"), VHDL_TESTS.format("assert f(n) = 5; wait;"), "runtime_error"),
    "asserts itself": (
        VHDL_F.format("", "assert false severity failure; return 1;"),
        VHDL_TESTS.format("assert f(n) = 5; wait;"),
        "runtime_error",
    ),
    "leaves early": (
        VHDL_STOP.format("", "std.env.finish; return 1;"), VHDL_TESTS.format("assert f(n) = 5; wait;"), "test_failure",
    ),
    "leaves with 3": (
        VHDL_STOP.format("", "std.env.stop(3); return 1;"),
        VHDL_TESTS.format("assert f(n) = 5; wait;"),
        "runtime_error",
    ),
    "prints what looks like a pass": (
        VHDL_STOP.format("", f"write(output, \"{32 * '0'}\" & LF); std.env.stop; return 1;"),
        VHDL_TESTS.format("assert f(n) = 5; wait;"),
        "test_failure",
    ),
    "does not compile": (VHDL_F.format("", "return y;"), VHDL_TESTS.format("wait;"), "compile_error"),
}  # fmt: skip
VERILOG_F = "module m;\n  {}\n  function integer f(input integer x);\n    {}\n  endfunction\nendmodule\n"
VERILOG_TESTS = "module tests;\n  m under();\n  initial begin\n    {}\n  end\nendmodule\n"
VERILOG_FAILS = VERILOG_TESTS.format('if (under.f(2) !== 5) $fatal(1, "f(2) is %0d", under.f(2));\n    $finish;')
VERILOG_TWICE = VERILOG_F.format("", "f = 2 * x;")
VERILOG = {
    "passes": (VERILOG_TWICE, VERILOG_TESTS.format("if (under.f(2) !== 4) $fatal;\n    $finish(0);"), "accepted"),
    "passes later": (VERILOG_TWICE, VERILOG_TESTS.format("#5 if (under.f(2) !== 4) $stop;\n    $finish;"), "accepted"),
    "fails": (VERILOG_TWICE, VERILOG_FAILS, "test_failure"),
    "errs": (VERILOG_TWICE, VERILOG_TESTS.format('if (under.f(2) !== 5) $error("no"); $finish;'), "test_failure"),
    "stops": (VERILOG_TWICE, VERILOG_TESTS.format("if (under.f(2) !== 5) $stop; $finish;"), "test_failure"),
    "does not say that it has passed": (VERILOG_TWICE, VERILOG_TESTS.format("#5 ;"), "test_failure"),
    "value that is not known": (
        VERILOG_F.format("", "f = 1 / (x - 2);"), VERILOG_FAILS, "test_failure",
    ),
    "crashes": (VERILOG_F.format("", "begin f = 0; $fatal(1, \"no\"); end"), VERILOG_FAILS, "runtime_error"),
    "leaves early": (VERILOG_F.format("initial $finish;", "f = 1;"), VERILOG_TESTS.format("#5 $stop;"), "test_failure"),
    "leaves with 3": (
        VERILOG_F.format("initial $finish_and_return(3);", "f = 1;"),
        VERILOG_TESTS.format("#5 $stop;"),
        "runtime_error",
    ),
    "prints what looks like a pass": (
        VERILOG_F.format(f'initial begin $display("{32 * "0"}"); $finish; end', "f = 1;"),
        VERILOG_TESTS.format("#5 $stop;"),
        "test_failure",
    ),
    "does not compile": (VERILOG_F.format("", "f = y;"), VERILOG_FAILS, "compile_error"),
}  # fmt: skip
SYSTEMVERILOG_F = "package p;\n  function automatic int f(int x);\n    {}\n  endfunction\nendpackage\n"
SYSTEMVERILOG_TESTS = "module tests;\n  import p::*;\n  initial begin\n    {}\n  end\nendmodule\n"
SYSTEMVERILOG_TWICE = SYSTEMVERILOG_F.format("return 2 * x;")
SYSTEMVERILOG_FAILS = SYSTEMVERILOG_TESTS.format("assert (f(2) == 5);")
SYSTEMVERILOG = {
    "passes": (SYSTEMVERILOG_TWICE, SYSTEMVERILOG_TESTS.format("assert (f(2) == 4); $finish;"), "accepted"),
    "passes without an end": (SYSTEMVERILOG_TWICE, SYSTEMVERILOG_TESTS.format("#5 assert (f(2) == 4);"), "accepted"),
    "fails": (SYSTEMVERILOG_TWICE, SYSTEMVERILOG_FAILS, "test_failure"),
    "fails hard": (
        SYSTEMVERILOG_TWICE, SYSTEMVERILOG_TESTS.format('if (f(2) != 5) $fatal(1, "no"); $finish;'), "test_failure",
    ),
    "errs": (SYSTEMVERILOG_TWICE, SYSTEMVERILOG_TESTS.format('if (f(2) != 5) $error("no"); $finish;'), "test_failure"),
    "asserts itself": (SYSTEMVERILOG_F.format("assert (x == 7); return 1;"), SYSTEMVERILOG_FAILS, "runtime_error"),
    "leaves early": (SYSTEMVERILOG_F.format("$finish; return 1;"), SYSTEMVERILOG_FAILS, "test_failure"),
    "crashes": (SYSTEMVERILOG_F.format('$fatal(1, "no"); return 1;'), SYSTEMVERILOG_FAILS, "runtime_error"),
    "switches assertions off": (
        SYSTEMVERILOG_F.format("return 1;") + "module m;\n  initial $assertoff;\nendmodule\n",
        SYSTEMVERILOG_TESTS.format("#1 assert (f(2) == 5);"),
        "test_failure",
    ),
    "prints what looks like a pass": (
        SYSTEMVERILOG_F.format(f'$display("{32 * "0"}"); $finish; return 1;'), SYSTEMVERILOG_FAILS, "test_failure",
    ),
    "does not compile": (SYSTEMVERILOG_F.format("return y;"), SYSTEMVERILOG_FAILS, "compile_error"),
}  # fmt: skip
KNOWN = {
    "assembly": ASSEMBLY, "systemverilog": SYSTEMVERILOG, "tengo": TENGO, "verilog": VERILOG, "vhdl": VHDL,
}  # fmt: skip
