# Executes a program that its user could execute.
# defence: landlock
# proof: landlock
@FOLDER@/program 2>/dev/null || echo held
