"""A hardened container of this machine's Docker engine for each warm agent: where namespaces are not allowed."""

from __future__ import annotations

from tasklake.sandbox_exec.channel import Kind, Vessel
from tasklake.sandbox_exec.containers import engine, toolchains
from tasklake.sandbox_exec.containers.vessel import Container
from tasklake.sandbox_exec.limits import MIB, Limits

NAME = "docker"
LEVEL = "container"
STRENGTH = 2
UNENFORCED: tuple[str, ...] = ()
OFF: tuple[str, ...] = ()
DOC = "a hardened container without network, its own processes, memory and disk; Landlock and the filter inside"
# Made by a program beside the kernel, which may be missing, slow or stopped: what needs none is tried before.
ENGINE = True
# A container takes half a second to start and some 20 MB to keep, a process neither: more of them are kept warm.
KEPT_AGENTS = 8
# A root file system of another suite comes into a container as its image alone.
IMAGES_ONLY = True
# Containers are made for memory in steps, so that they are shared by programs with similar limits.
LEAST_MEMORY = 1024 * MIB


def why_not() -> str:
    """Why none can be made here, or nothing; told at once, and anew each time, for engines come and go."""
    return engine.why_not()


def inherited(limits: Limits) -> dict[str, float]:
    """What the engine holds beside the agent: memory, with an output that the agent keeps twice while it answers."""
    wanted, held = limits.memory_bytes + 2 * limits.output_bytes, LEAST_MEMORY
    while held < wanted:
        held *= 2
    return {"memory_bytes": held}


def vessel(kind: Kind) -> Vessel:
    """A container in which such an agent has called."""
    return Container(kind)


def image_of(language: str) -> tuple[str, str]:
    """The engine's image of the language with its toolchain in words, or nothing."""
    return toolchains.image_of(language)
