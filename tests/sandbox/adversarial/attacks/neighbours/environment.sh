# Reads the environment of a process of its user's.
# defence: landlock
# proof: landlock
tr '\0' '\n' < /proc/@VICTIM@/environ 2>/dev/null | grep -q SECRET=taken && echo taken || echo held
