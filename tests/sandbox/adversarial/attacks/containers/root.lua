-- Leaves a file in the root of its container for the next case.
-- defence: read_only user landlock
-- why: the root is not its user's, and Landlock shows it no folder to write to
-- levels: docker
-- cases: 2
print(io.open("/left") and "taken" or "held")
local file = io.open("/left", "w")
if file then file:close() end
