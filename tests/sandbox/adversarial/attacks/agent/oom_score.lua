-- Makes the agent, and with it the next case, the first that a machine short of memory ends.
-- defence: dumpable
-- cases: 2
local before = io.open("/proc/self/oom_score_adj"):read("n")
local parent = io.open("/proc/self/stat"):read("a"):match("%) %a (%d+)")
local file = io.open("/proc/" .. parent .. "/oom_score_adj", "w")
if file then
    file:write("777")
    file:close()
end
print(before == 777 and "taken" or "held")
