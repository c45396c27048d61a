"""Decides whose turn it is and which call fails: repeatable runs of several actors, one AWS call at
a time.

Every actor runs in a thread that stops before each AWS call until ``Scheduler`` gives it the
turn, so exactly one thread runs at any time and a ``Choices`` decides everything that chance
decides in the world: order and faults. The choices taken are the schedule; ``Replay`` repeats it.
"""

import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

_patience = 60.0


class Killed(BaseException):
    """The function's process ended here; passes every ``except Exception``."""


class Stopped(BaseException):
    """The run is over because something else went wrong."""


class Hung(AssertionError):
    """A thread neither called AWS nor ended."""


@contextmanager
def scheduler_patience(seconds: float) -> Iterator[None]:
    """In this context a thread counts as hung after so many seconds (otherwise 60)."""
    global _patience
    before, _patience = _patience, seconds
    try:
        yield
    finally:
        _patience = before


class Step(NamedTuple):
    """One decision: this actor goes, and this happens to its call."""

    actor: str
    fault: str | None

    def __str__(self) -> str:
        return f"{self.actor}!{self.fault}" if self.fault else self.actor


class Choices(Protocol):
    """What decides: the next actor among those that wait, and the fault of a call."""

    def turn(self, waiting: Sequence[str]) -> str: ...

    def fault(self, actor: str, options: Sequence[str]) -> str | None: ...


class Chance:
    """Everything by the seed; each call is faulted with probability ``p``."""

    def __init__(self, seed: object, p: float) -> None:
        self.random = random.Random(f"schedule {seed}")
        self.p = p

    def turn(self, waiting: Sequence[str]) -> str:
        return self.random.choice(waiting)

    def fault(self, actor: str, options: Sequence[str]) -> str | None:
        if self.random.random() < self.p and options:
            return self.random.choice(options)
        return None


class Replay:
    """Repeats a schedule or its beginning; afterwards no faults, and the first actor in line."""

    def __init__(self, schedule: Sequence[Step]) -> None:
        self.left = list(schedule)

    def turn(self, waiting: Sequence[str]) -> str:
        if not self.left:
            return waiting[0]
        if self.left[0].actor not in waiting:
            raise Stopped(f"the schedule wants {self.left[0]}, and {waiting} wait")
        return self.left[0].actor

    def fault(self, actor: str, options: Sequence[str]) -> str | None:
        return self.left.pop(0).fault if self.left else None


class Odometer:
    """Every schedule in turn: run, then call ``advance`` until it returns ``False``."""

    def __init__(self, faults: int) -> None:
        self.faults = faults
        self._prefix: list[int] = []
        self._taken: list[tuple[int, int]] = []
        self._left = faults

    def turn(self, waiting: Sequence[str]) -> str:
        return waiting[self._choose(len(waiting))]

    def fault(self, actor: str, options: Sequence[str]) -> str | None:
        if not self._left or not options:
            return None
        number = self._choose(len(options) + 1)
        if not number:
            return None
        self._left -= 1
        return options[number - 1]

    def advance(self) -> bool:
        """Prepare the next schedule; whether there is one."""
        while self._taken:
            value, size = self._taken.pop()
            if value + 1 < size:
                self._prefix = [taken for taken, _ in self._taken] + [value + 1]
                self._taken, self._left = [], self.faults
                return True
        return False

    def _choose(self, size: int) -> int:
        at = len(self._taken)
        value = self._prefix[at] if at < len(self._prefix) else 0
        self._taken.append((value, size))
        return value


class Nth:
    """Nothing random: the n-th call (from 1) gets one fault, if the call can have it."""

    def __init__(self, number: int, fault: str | None) -> None:
        self.number, self.kind, self.calls, self.met = number, fault, 0, False

    def turn(self, waiting: Sequence[str]) -> str:
        return waiting[0]

    def fault(self, actor: str, options: Sequence[str]) -> str | None:
        self.calls += 1
        if self.calls != self.number or self.kind not in options:
            return None
        self.met = True
        return self.kind


@dataclass
class Outcome:
    """How an actor ended: ``ok`` with a value, ``error`` with an exception, or ``killed``."""

    kind: str
    value: Any = None


@dataclass
class _Actor:
    name: str
    thread: threading.Thread | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    waiting: bool = False
    dead: bool = False
    outcome: Outcome | None = None


class Scheduler:
    """Runs actors together, each call in its turn, and keeps the schedule."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.schedule: list[Step] = []
        self._actors: dict[str, _Actor] = {}
        self._by_thread: dict[int, _Actor] = {}
        self._settled = threading.Semaphore(0)
        self._stopping = False

    def actor(self) -> str | None:
        """The actor whose thread this is; ``None`` is the test itself."""
        found = self._by_thread.get(threading.get_ident())
        return found.name if found else None

    def wait(self, options: Sequence[str]) -> str | None:
        """Called before an AWS call: wait for the turn; what fault the call meets."""
        me = self._by_thread[threading.get_ident()]
        if me.dead:
            raise Killed
        me.waiting = True
        self._settled.release()
        me.go.acquire()
        if self._stopping:
            raise Stopped
        fault = self.choices.fault(me.name, options)
        self.schedule.append(Step(me.name, fault))
        return fault

    def kill(self) -> None:
        """End the invocation that this thread is in: no further call gets through."""
        self._by_thread[threading.get_ident()].dead = True
        raise Killed

    def invoke(self, action: Callable[[], Any]) -> Outcome:
        """One invocation of a function within an actor, as if in a new process."""
        me = self._by_thread[threading.get_ident()]
        me.dead = False
        try:
            return Outcome("ok", action())
        except Killed:
            return Outcome("killed")
        except Exception as error:
            return Outcome("error", error)
        finally:
            me.dead = False

    def run(self, actors: Sequence[tuple[str, Callable[[], Any]]]) -> dict[str, Outcome]:
        """Run all to their ends; the outcome of each."""
        self._actors = {name: _Actor(name) for name, _ in actors}
        try:
            for name, action in actors:
                self._start(self._actors[name], action)
            while waiting := [actor.name for actor in self._actors.values() if actor.waiting]:
                chosen = self._actors[self.choices.turn(waiting)]
                chosen.waiting = False
                chosen.go.release()
                self._settle()
        except BaseException:
            self._stop()
            raise
        return {name: one.outcome for name, one in self._actors.items() if one.outcome}

    def _start(self, actor: _Actor, action: Callable[[], Any]) -> None:
        def body() -> None:
            self._by_thread[threading.get_ident()] = actor
            try:
                actor.outcome = self.invoke(action)
            except Stopped:
                pass
            finally:
                del self._by_thread[threading.get_ident()]
                self._settled.release()

        actor.thread = threading.Thread(target=body, name=actor.name, daemon=True)
        actor.thread.start()
        # One at a time here too, so that the order before the first call is fixed.
        self._settle()

    def _settle(self) -> None:
        if not self._settled.acquire(timeout=_patience):
            raise Hung(self._where())

    def _stop(self) -> None:
        self._stopping = True
        for actor in self._actors.values():
            actor.go.release()
        for actor in self._actors.values():
            if actor.thread:
                actor.thread.join(timeout=1)

    def _where(self) -> str:
        frames = sys._current_frames()
        stacks = [
            f"{actor.name}:\n" + "".join(traceback.format_stack(frames[actor.thread.ident]))
            for actor in self._actors.values()
            if actor.thread and actor.thread.ident in frames and not actor.waiting
        ]
        return (
            "a thread hangs after " + " ".join(map(str, self.schedule)) + "\n" + "\n".join(stacks)
        )
