-- Reads the passwords of the machine's users.
-- defence: user
-- proof: namespaces root
print(io.open("/etc/shadow") and "taken" or "held")
