-- Reads which ports the machine listens on.
-- defence: network
-- levels: namespaces docker
-- proof: namespaces root
local text = (io.open("/proc/net/tcp") or io.open("/dev/null")):read("a")
print(text:find(string.format(":%04X ", tonumber("@TCP@")), 1, true) and "taken" or "held")
