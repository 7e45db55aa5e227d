# Reaches the folder of programs, which is read-only for it, through the agent's own handle.
# defence: dumpable
# cases: 2
for found in /proc/$PPID/fd/*; do
    [ -d "$found" ] || continue
    for file in "$found"/*/main.sh; do
        [ -f "$file" ] && echo 'echo taken' > "$file"
    done
done 2>/dev/null
echo held
