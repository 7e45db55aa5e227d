-- Reads a file that its user could read by a link in its own folder.
-- defence: landlock
-- proof: landlock
os.execute("ln -s @SECRET@ here")
local file = io.open("here")
print(file and file:read("l") or "held")
