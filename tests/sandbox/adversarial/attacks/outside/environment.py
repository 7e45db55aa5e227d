# Reads what its caller's environment holds in its own.
# defence: environment
import os

print("taken" if "TASKLAKE_ADVERSARIAL_SECRET" in os.environ else "held")
