-- Reads the command line of a process that is not in its box, which may hold a password.
-- defence: processes
-- levels: namespaces docker
-- proof: namespaces root
local file = io.open("/proc/@VICTIM@/cmdline")
print(file and file:read("a"):find("taken") and "taken" or "held")
