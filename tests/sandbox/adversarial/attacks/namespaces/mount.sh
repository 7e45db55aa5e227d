# Hides the folder for temporary files under an empty one of its own.
# defence: seccomp
unshare -Urm mount -t tmpfs tmpfs /tmp 2>/dev/null && echo taken || echo held
