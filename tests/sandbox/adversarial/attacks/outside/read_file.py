# Reads a file that its user could read.
# defence: landlock
# proof: landlock
try:
    print(open("@SECRET@").read(), end="")
except OSError:
    print("held")
