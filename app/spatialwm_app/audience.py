"""Whoever watches a world: tabs that hear every message, from whatever thread it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
Listener = Callable[[Message], None]


class Audience:
    """The listeners of one world."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def listen(self, listener: Listener) -> None:
        """Call ``listener(message)`` on every change, from whatever thread made it."""
        self._listeners.add(listener)

    def unlisten(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def tell(self, message: Message) -> None:
        """Say something to everyone."""
        for listener in tuple(self._listeners):
            listener(message)
