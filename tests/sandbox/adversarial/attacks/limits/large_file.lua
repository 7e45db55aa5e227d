-- Writes a file that is larger than files may be.
-- defence: limits
-- proof: landlock
-- verdict: runtime_error
-- limits: file_bytes=1048576
local file = io.open("large", "w")
file:setvbuf("no")
for _ = 1, 40 do
    file:write(string.rep("x", 100000))
end
print("taken")
