"""Where a test of the link plays in this process: a simulator, a clock that only moves when told, and a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.core.linking import is_test
from codat_zoho.simulator import Simulator
from codat_zoho.simulator.companies import Company
from codat_zoho.simulator.consent import connections, consented, settle
from tests.faults.network import Network
from tests.support import API_KEY, keys


def link_tests(simulator: Simulator) -> None:
    """A person links every test company that waits for it."""
    for found in connections(simulator):
        if found.connection.status == "PendingAuth" and is_test(found.company.name):
            consented(simulator, found, "us")


Act = Callable[[], object]
TODAY = 1_795_000_000.0
"""When it plays, in seconds since 1970: later than the companies that a simulator begins with."""


@dataclass
class Stage:
    """Runs the command against a simulator.

    Args:
        simulator: Zoho Books is enabled in it, with the keys of its Zoho client.
        monkeypatch: of the test.
        capsys: of the test.
        acts: what happens while the command waits for the first time, for the second time, and so on.
    """

    simulator: Simulator
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    acts: list[Act] = field(default_factory=list)
    person: bool = False
    """Somebody links, whenever there is something to link."""
    links: list[str] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    """When the connection or its data was looked at."""
    answers: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codat = self.simulator.codat[API_KEY]
        self.codat.integration.enabled, self.codat.integration.keys = True, keys()
        self.network = Network(self.simulator)
        self.clock = self.network.clock
        self.simulator.clock = self._now
        self.network.watch = self._watch
        self.monkeypatch.setenv("CODAT_API_KEY", API_KEY)
        self.monkeypatch.setenv("CODAT_URL", "http://127.0.0.1/codat")
        self.monkeypatch.setattr("codat_zoho.link.command.Http", self._http)
        self.monkeypatch.setattr("codat_zoho.link.command.reveal", self._reveal)
        self.monkeypatch.setattr("codat_zoho.link.command.confirmed", self._confirmed)
        self.monkeypatch.setattr("codat_zoho.link.command.interactive", lambda: True)

    def _http(self) -> Any:
        return replace(self.network.http(), sleep=self._sleep, now=self._now)

    def _now(self) -> float:
        return TODAY + self.clock.time

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.acts:
            self.acts.pop(0)()
        elif self.person:
            link_tests(self.simulator)

    def _watch(self) -> None:
        place = self.network.calls[-1].place
        if place.startswith("GET") and ("/connections/" in place or place.endswith("dataStatus")):
            self.looks.append(self.clock.time)

    def _reveal(self, text: str = "") -> bool:
        if text:
            self.links.append(text.strip())
        return True

    def _confirmed(self, question: str) -> bool:
        self.asked.append(question)
        return next((answer for start, answer in self.answers.items() if question.startswith(start)), True)

    def run(self, *arguments: str, yes: bool = True) -> tuple[int, str, str]:
        """Run the command; return its exit code, what it printed, and all that it said, which never holds the link."""
        code = main(["test-link", *(["--yes"] if yes else []), *arguments])
        said = self.capsys.readouterr()
        self.secret(said.out + said.err)
        return code, said.out, said.out + said.err

    def secret(self, text: str) -> None:
        """Hold a text to it that no link is in it, nor what it is made of, nor a key."""
        for link in self.links:
            password = link.partition("otp=")[2]
            for part in filter(None, (link, password, link.rpartition("/connections/")[2].partition("/")[0], API_KEY)):
                assert part not in text, part

    def consent(self, data_centre: str = "us") -> None:
        """A person goes all the way."""
        consented(self.simulator, connections(self.simulator)[-1], data_centre)

    def settle(self, outcome: str) -> None:
        """It ends in another way."""
        settle(self.simulator, connections(self.simulator)[-1].connection, outcome)

    def status(self, status: Any) -> None:
        """Codat says of it what it says."""
        connections(self.simulator)[-1].connection.status = status

    @property
    def tests(self) -> list[Company]:
        """The test companies that are there."""
        return [one for one in self.codat.companies.values() if is_test(one.name)]
