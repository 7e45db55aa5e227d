"""What a task spends of its share: reserved before a call is sent, settled when it is back."""

from __future__ import annotations

from tasklake.udfs.llm.terms import Prices, Purse


class Spending:
    """A purse with the calls that are on their way reserved at their dearest."""

    def __init__(self, purse: Purse, prices: Prices, gone: tuple[float, float, float] = (0, 0, 0)):
        self.left = [purse.calls, purse.tokens, purse.usd]
        self.prices = prices
        self._take(gone, 1)

    def reserve(self, prompt: int, answer: int) -> bool:
        """True when one more such call fits, which is then paid for."""
        cost = self._cost(prompt, answer)
        if any(left is not None and part > left for left, part in zip(self.left, cost, strict=True)):
            return False
        self._take(cost, 1)
        return True

    def release(self, prompt: int, answer: int) -> None:
        """A call for which this was reserved is not made."""
        self._take(self._cost(prompt, answer), -1)

    def settle(self, reserved: tuple[int, int], used: tuple[int, int], usd: float) -> None:
        """What was reserved and not used is back; the call stays counted."""
        _, tokens, money = self._cost(*reserved)
        self._take((0, sum(used) - tokens, usd - money), 1)

    def _cost(self, prompt: int, answer: int) -> tuple[float, float, float]:
        return 1, prompt + answer, self.prices.usd(prompt, answer)

    def _take(self, cost: tuple[float, float, float], sign: int) -> None:
        self.left = [None if left is None else left - sign * part for left, part in zip(self.left, cost, strict=True)]
