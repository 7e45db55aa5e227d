# Gives the machine another name, or at least believes so.
# defence: seccomp
unshare -Uru hostname taken 2>/dev/null && echo taken || echo held
