-- Reads the passwords of the machine's users, which its container shows to root.
-- defence: user
-- levels: docker
local file = io.open("/etc/shadow")
print(file and file:read("l") and "taken" or "held")
