# Reads the agent's environment.
# defence: dumpable
tr '\0' '\n' < /proc/$PPID/environ 2>/dev/null | grep -q PATH= && echo taken || echo held
