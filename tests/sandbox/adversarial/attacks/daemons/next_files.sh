# Leaves a process that takes the places of the files that whatever program comes next will write.
# defence: sweep
# seen: next
(
    trap '' HUP TERM
    for _ in $(seq 300); do
        mkdir -p there "$TMPDIR/again/taken"
        sleep 0.01
    done
) > /dev/null 2>&1 < /dev/null &
echo held
