# Gives a file that its user could rename another name.
# defence: landlock
# proof: landlock
# seen: outside
import os

try:
    os.rename("@SECRET@", "@FOLDER@/renamed")
except OSError:
    pass
print("held")
