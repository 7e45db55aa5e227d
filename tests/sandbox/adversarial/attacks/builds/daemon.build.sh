# Leaves a process that changes what the next build makes.
# defence: sweep
# seen: next
echo 'echo held' > run.sh
(
    sleep 0.1
    for _ in $(seq 200); do
        [ -e run.sh ] && echo 'echo taken' > run.sh
        sleep 0.01
    done
) > /dev/null 2>&1 < /dev/null &
sleep 0.01
