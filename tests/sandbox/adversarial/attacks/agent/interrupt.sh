# Sends the agent the one signal that Python waits for, as from a keyboard.
# defence: signals
# seen: broken
kill -INT $PPID 2>/dev/null
sleep 0.2
echo held
