-- Sleeps for longer than it may run.
-- defence: wall
-- verdict: time_limit
-- seen: accepted
-- limits: wall_s=0.3
os.execute("sleep 1")
print("held")
