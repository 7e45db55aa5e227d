# Changes its own program for the next case.
# defence: program
# cases: 2
import os

try:
    with open(os.path.realpath("main.py"), "w") as file:
        file.write("print('taken')\n")
except OSError:
    pass
print("held")
