-- Looks for what honest programs have written before.
-- defence: wipe
local tmp = os.getenv("TMPDIR")
print((io.open("there") or io.open(tmp .. "/again")) and "taken" or "held")
