# Writes without end, or nearly.
# defence: output
# verdict: output_limit
# seen: flood
# limits: output_bytes=1048576
yes | head -c 20000000
