-- Leaves a file in the root of its box, which belongs to its user, for the next case.
-- defence: read_only
-- proof: namespaces plain
-- cases: 2
print(io.open("/left") and "taken" or "held")
local file = io.open("/left", "w")
if file then file:close() end
