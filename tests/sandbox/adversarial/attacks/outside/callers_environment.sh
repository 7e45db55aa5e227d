# Reads the environment of its caller, where both belong to one user.
# defence: landlock
# proof: landlock plain
tr '\0' '\n' < /proc/@CALLER@/environ 2>/dev/null | grep -q PATH= && echo taken || echo held
