-- Writes into a file that its user could write.
-- defence: landlock
-- proof: landlock
-- seen: outside
local file = io.open("@SECRET@", "a")
if file then file:write("more") file:close() end
print("held")
