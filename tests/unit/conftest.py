"""Properties are looked for without a clock: a busy machine is no failed property.

`--hypothesis-profile=long` looks for longer, as `make test-properties` does.
"""

from hypothesis import settings

settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("usual")
