-- Leaves a file in the work folder for the next case.
-- defence: wipe
-- cases: 2
print(io.open("left") and "taken" or "held")
io.open("left", "w"):close()
