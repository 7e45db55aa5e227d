# Makes a fifo where its user could make one.
# defence: landlock
# proof: landlock
# seen: outside
mkfifo @FOLDER@/left 2>/dev/null
echo held
