# Makes a file of ten gigabytes that holds nothing.
# defence: limits
try:
    with open("huge", "wb") as file:
        file.truncate(10 << 30)
    print("taken")
except OSError:
    print("held")
