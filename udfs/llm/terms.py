"""What a task may do: whom it calls, how fast, how long and for how much. Data that travels in plans: no secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

# Tokens that a price is given for.
PRICED = 1_000_000


@dataclass(frozen=True)
class Endpoint:
    """One address that serves the model; `key` names the variable that holds its key."""

    base_url: str
    weight: float = 1.0
    key: str = "OPENAI_API_KEY"

    @property
    def label(self) -> str:
        """Host and path, without the user and password that an address may hold."""
        return self.base_url.partition("://")[2].rpartition("@")[2].rstrip("/")


@dataclass(frozen=True)
class Prices:
    """USD per million tokens; what a batch costs beside a call."""

    input: float = 0.0
    output: float = 0.0
    cached: float | None = None
    batch: float = 0.5

    def usd(self, prompt: int, answer: int, cached: int = 0, batch: bool = False) -> float:
        """What a call costs; cached tokens are part of the prompt's."""
        kept = self.input if self.cached is None else self.cached
        whole = (prompt - cached) * self.input + cached * kept + answer * self.output
        return whole / PRICED * (self.batch if batch else 1.0)


@dataclass(frozen=True)
class Purse:
    """What may still be spent; None is without limit."""

    calls: float | None = None
    tokens: float | None = None
    usd: float | None = None

    def share(self, tasks: int) -> Purse:
        """The part of one of so many tasks; of calls the whole ones."""
        return Purse(
            None if self.calls is None else self.calls // tasks,
            None if self.tokens is None else self.tokens / tasks,
            None if self.usd is None else self.usd / tasks,
        )


@dataclass(frozen=True)
class Terms:
    """Everything that a task has to know to make calls."""

    provider: str
    model: str
    endpoints: tuple[Endpoint, ...] = ()
    tasks: int = 1
    # In flight over all tasks.
    max_in_flight: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 300.0
    # How long nothing but failures may come back before the run ends.
    give_up_s: float = 180.0
    # How long one job may send; None is as long as it takes.
    wave_s: float | None = None
    structured: bool = True
    prices: Prices = field(default_factory=Prices)
    purse: Purse = field(default_factory=Purse)

    @property
    def share(self) -> int:
        """How many calls one task may have in flight."""
        return max(1, self.max_in_flight // self.tasks)
