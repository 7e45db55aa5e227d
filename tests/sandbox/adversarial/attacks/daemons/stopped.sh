# Leaves a process that has stopped itself, and waits to be woken.
# defence: sweep
# cases: 2
grep -qs "kill.-STOP.*TOKEN" /proc/[0-9]*/cmdline && echo taken || echo held
sh -c 'kill -STOP $$ # TOKEN' > /dev/null 2>&1 &
sleep 0.05
