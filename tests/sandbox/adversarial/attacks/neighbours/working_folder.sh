# Goes to the folder that a process of its user's works in.
# defence: landlock
# proof: landlock
cd /proc/@VICTIM@/cwd 2>/dev/null && echo taken || echo held
