"""Gates on the text of a program."""

from tasklake.quality.gates import Gate

GATES = (
    Gate(
        name="program_is_short_enough",
        doc="Trainers clip long samples, and a clipped program teaches a wrong ending: 64 KiB is above any honest one.",
        holds="octet_length(program) <= 65536",
        reason="concat('the program has ', octet_length(program), ' bytes')",
        passes=({"program": "print(1)"},),
        fails=({"program": "x" * 65537},),
    ),
    Gate(
        name="program_is_text",
        doc="A NUL byte in a program is never meant, and breaks readers of the exports.",
        holds="instr(program, char(0)) = 0",
        reason="'the program holds a NUL byte'",
        passes=({"program": "print(1)"},),
        fails=({"program": "print(\x00)"},),
    ),
)
