"""Which languages a recipe asks for: those that it names, all that are offered, or those of some tiers of scarcity."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from tasklake.jobs.recipe_parts import Text, as_tuple
from tasklake.sandbox_exec.documents import nearest
from tasklake.sandbox_exec.languages import OFFERED, TIERS, Language, PackError, language

# How tiers stand among the languages of a recipe that has been read: no pack can have a name with such signs in it.
TIER = re.compile(r"tier (>=|<=|=)([1-5])")
OPERATORS: dict[str, Callable[[int, int], bool]] = {">=": operator.ge, "<=": operator.le, "=": operator.eq}
FORMS = tuple(f"{sign}{tier}" for sign in OPERATORS for tier in TIERS)
FORM = 'a list of languages, offered, or {tier: ">=3"}'


def chosen(named: tuple[str, ...], packs: Mapping[str, Language]) -> list[str]:
    """The ids of the packs that a recipe asks for: whether they are offered is seen when programs are to run."""
    if named == (OFFERED,):
        return sorted(packs)
    tiers = TIER.fullmatch(named[0]) if len(named) == 1 else None
    if tiers is None:
        return [language(name, packs).id for name in named]
    fits, tier = OPERATORS[tiers[1]], int(tiers[2])
    return sorted(name for name, pack in packs.items() if fits(pack.tier, tier))


def _tiers(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Tiers as the one word that stands for them; anything else is a list of names."""
    if not isinstance(value, Mapping):
        return handler(value)
    for key in value:
        if key != "tier":
            right = nearest(str(key), ("tier",))
            hint = f" (did you mean {right}?)" if right else ""
            raise PydanticCustomError("recipe_unknown", f"unknown key {key}{hint}; it is {FORM}")
    if not value:
        raise PydanticCustomError("recipe", f"must be {FORM}")
    named = (_tier(value["tier"]),)
    packs = (info.context or {}).get("languages")
    if packs is not None and not chosen(named, packs):
        raise PydanticCustomError("recipe_unknown", f"there is no language of {named[0]} among the packs")
    return named


def _tier(value: Any) -> str:
    """The word for tiers such as `>=3`, `<=2`, `=4` or a plain number."""
    text = str(value).replace(" ", "")
    plain = not isinstance(value, bool) and text in map(str, TIERS)
    if plain or text in FORMS:
        return f"tier {'=' if plain else ''}{text}"
    right = _meant(text)
    hint = f" (did you mean {right!r}?)" if right else ""
    told = PydanticCustomError("recipe", "must be " + "a number from 1 to 5, or one behind >=, <= or =" + hint)
    wrong = InitErrorDetails(type=told, loc=("tier",), input=value)
    raise ValidationError.from_exception_data("languages", [wrong])


def _meant(text: str) -> str | None:
    """The right form that says the same as the wrong one, or else looks like it."""
    strict = re.fullmatch(r"([<>])(\d)", text)
    if strict:
        form = f">={int(strict[2]) + 1}" if strict[1] == ">" else f"<={int(strict[2]) - 1}"
        return form if form in FORMS else None
    turned = re.fullmatch(r"(=[<>])(\d)|(\d)([+-])", text)
    if turned:
        form = turned[1][::-1] + turned[2] if turned[1] else {"+": ">=", "-": "<="}[turned[4]] + turned[3]
        return form if form in FORMS else None
    return nearest(text, FORMS)


def _a_language(name: str, info: ValidationInfo) -> str:
    """The name, which must be a pack's wherever somebody said which packs there are."""
    known = (info.context or {}).get("languages")
    if known is not None and name != OFFERED:
        try:
            language(name, known)
        except PackError as error:
            raise PydanticCustomError("recipe_unknown", str(error)) from None
    return name


Languages = Annotated[
    tuple[Annotated[Text, AfterValidator(_a_language)], ...],
    BeforeValidator(as_tuple),
    Field(min_length=1),
    WrapValidator(_tiers),
]
