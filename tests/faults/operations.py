"""Every operation of the matrix: how things are before, what is asked for, and what runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.adopt import command as adopting
from codat_zoho.adopt import decide as deciding
from codat_zoho.adopt.import_state import record
from codat_zoho.adopt.run import Target
from codat_zoho.errors import CodatZohoError
from codat_zoho.provider.process import CONTEXT
from codat_zoho.simulator import Switches
from tests.ladder import FOREIGN_ID, World
from tests.mini_engine import Failed, MiniEngine, Plain, Props, Resource
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET, keys


@dataclass
class Stage:
    """Where an operation plays: the world, the engine, and what the operation found."""

    world: World
    engine: MiniEngine = field(default_factory=lambda: MiniEngine(Plain()))
    found: Any = None

    def up(self, *, refresh: bool = False) -> None:
        self.engine.up(self.world.program(), refresh=refresh)

    def remote(self) -> tuple[bool, dict[str, str]]:
        """What Codat holds, unmasked."""
        integration = self.world.codat.integration
        return integration.enabled, dict(integration.keys)

    def program(self) -> dict[str, Props]:
        return {kind: dict(resource.inputs) for kind, resource in self.engine.state.items()}


@dataclass(frozen=True)
class Operation:
    """One operation.

    Args:
        name: in words.
        before: brings the world to where it begins; nothing fails yet.
        run: the operation.
        switches: how Codat behaves where nobody knows.
        refused: it is to be refused, with this, since it could cut off companies.
        probes_again: Zoho is asked on each look, as declared.
        deletes: what is managed is gone afterwards.
    """

    name: str
    before: Callable[[Stage], None]
    run: Callable[[Stage], None]
    switches: Switches = field(default_factory=Switches)
    refused: str = ""
    probes_again: bool = False
    deletes: bool = False

    @property
    def refreshes(self) -> bool:
        """It refreshes before it changes."""
        return self.run is _up_refreshing

    @property
    def adopts(self) -> bool:
        return self.run is _adopt

    @property
    def looks(self) -> bool:
        """It changes nothing, neither in Codat nor in state."""
        return self.run in (_drift, _get)


def _deployed(linked: int = 0, **books: Any) -> Callable[[Stage], None]:
    """Declared and deployed, then so many companies link."""

    def before(stage: Stage) -> None:
        stage.world.declare(**books)
        stage.up()
        stage.world.codat.linked = linked

    return before


def _by_hand(enabled: bool, stored: dict[str, str], linked: int = 0) -> Callable[[Stage], None]:
    """Clicked together in the Portal, and declared for the first time."""

    def before(stage: Stage) -> None:
        integration = stage.world.codat.integration
        integration.enabled, integration.keys = enabled, dict(stored)
        stage.world.codat.linked = linked
        stage.world.declare()

    return before


def _then(*acts: Callable[[Stage], None]) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        for act in acts:
            act(stage)

    return run


def _declares(*args: Any, **books: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.world.declare(*args, **books)


def _up(stage: Stage) -> None:
    stage.up()


def _up_refreshing(stage: Stage) -> None:
    stage.up(refresh=True)


def _destroy(stage: Stage) -> None:
    stage.engine.destroy()


def _refresh(stage: Stage) -> None:
    stage.engine.refresh()


def _drift(stage: Stage) -> None:
    """The read side of ``codat-zoho drift``: each resource is refreshed, previewed only."""
    stage.found = stage.engine.drift()


def _get(stage: Stage) -> None:
    """``ZohoBooksIntegration.get``: read without managing."""
    stage.found = stage.engine.wire.read("books", "default", {})


def _adopt(stage: Stage) -> None:
    """``codat-zoho adopt --probe``: read, decide, ask Zoho; then import what it says."""
    target = Target("dev", ["default"], exists=False)
    try:
        adopting._read(target, adopting.parser().parse_args(["--client-id", ID, "--probe"]), CONTEXT.http, None)
        entries = record("dev", deciding.agreed(target.takeovers), None).entries
    except CodatZohoError as error:
        raise Failed(f"{type(error).__name__}: {error}") from None
    for entry in entries:
        kind = "client" if "Credentials" in entry.kind else "books"
        bags = ({n: v for n, v in bag.items() if n != "__provider"} for bag in (entry.inputs, entry.outputs))
        stage.engine.state[kind] = Resource(entry.id, *bags)


def _rotated(stage: Stage) -> None:
    stage.world.zoho.secret = OTHER_SECRET
    stage.world.declare(client_secret=OTHER_SECRET)


def _another_client(**books: Any) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        stage.world.simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
        stage.world.declare(OTHER_ID, OTHER_SECRET, **books)

    return change


def _all_by_hand(stage: Stage) -> None:
    """Somebody changed everything in the Portal."""
    stage.world.codat.integration.enabled = False
    stage.world.codat.integration.keys = keys(FOREIGN_ID, OTHER_SECRET)


def _regions(*codes: str) -> Callable[[Stage], None]:
    return lambda stage: stage.world.client.update(regions=list(codes))


def _always(stage: Stage) -> None:
    stage.world.declare()
    stage.world.client["verify"] = "always"
    stage.up()


def _no_books(stage: Stage) -> None:
    stage.world.declare()
    stage.world.books = {}


def _no_books_deployed(stage: Stage) -> None:
    _no_books(stage)
    stage.up()


def _switch_only(enabled: bool) -> Callable[[Stage], None]:
    def declare(stage: Stage) -> None:
        stage.world.client, stage.world.books = {}, {"enabled": enabled}

    return declare


UNLIKELY = Switches("404", "merge", saving_keeps_enabled=False, disabling_keeps_keys=False, mask_client_id=False)
OPAQUE = Switches("204", mask="opaque", linked_count=False)
UNCOUNTED = Switches(linked_count=False)
_DISABLES, _CHANGES_ID, _DELETES = "Disabling the integration", "Changing the client id", "eleting the keys"

OPERATIONS = (
    # create
    Operation("create", _declares(), _up),
    Operation("create, unlikely Codat", _declares(), _up, UNLIKELY),
    Operation("create, opaque Codat", _declares(), _up, OPAQUE),
    Operation("create disabled, unlikely Codat", _declares(enabled=False), _up, UNLIKELY),
    Operation("create over what is identical", _by_hand(True, keys(), linked=3), _up),
    Operation("create over what differs", _by_hand(False, keys(FOREIGN_ID, OTHER_SECRET)), _up),
    Operation(
        "create over another client with links",
        _by_hand(True, keys(FOREIGN_ID, SECRET), linked=3),
        _up,
        refused=_CHANGES_ID,
    ),
    Operation(
        "create over another client with uncounted links",
        _by_hand(True, keys(FOREIGN_ID, SECRET), linked=3),
        _up,
        UNCOUNTED,
        refused=_CHANGES_ID,
    ),
    Operation("create the switch alone", _switch_only(enabled=True), _up),
    # update
    Operation("enable", _then(_deployed(enabled=False), _declares(enabled=True)), _up),
    Operation("disable", _then(_deployed(), _declares(enabled=False)), _up),
    Operation("disable, unlikely Codat", _then(_deployed(), _declares(enabled=False)), _up, UNLIKELY),
    Operation("disable with links", _then(_deployed(3), _declares(enabled=False)), _up, refused=_DISABLES),
    Operation(
        "disable with uncounted links",
        _then(_deployed(3), _declares(enabled=False)),
        _up,
        UNCOUNTED,
        refused=_DISABLES,
    ),
    Operation("disable without uncounted links", _then(_deployed(), _declares(enabled=False)), _up, UNCOUNTED),
    Operation(
        "disable with links and the word", _then(_deployed(3), _declares(enabled=False, allow_disruption=True)), _up
    ),
    Operation("rotate the secret", _then(_deployed(3), _rotated), _up),
    Operation("rotate the secret, opaque Codat", _then(_deployed(), _rotated), _up, OPAQUE),
    Operation("another client id", _then(_deployed(), _another_client()), _up),
    Operation("another client id with links", _then(_deployed(3), _another_client()), _up, refused=_CHANGES_ID),
    Operation(
        "another client id with links and the word",
        _then(_deployed(3), _another_client(allow_disruption=True)),
        _up,
    ),
    Operation("repair everything", _then(_deployed(), _all_by_hand), _up_refreshing),
    Operation(
        "change without a refresh what was changed by hand",
        _then(_deployed(), _all_by_hand, _rotated),
        _up,
    ),
    # delete
    Operation("remove", _deployed(), _destroy, deletes=True),
    Operation("remove, unlikely Codat", _deployed(), _destroy, UNLIKELY, deletes=True),
    Operation("remove with links", _deployed(3), _destroy, refused=_DISABLES),
    Operation("remove with uncounted links", _deployed(3), _destroy, UNCOUNTED, refused=_DISABLES),
    Operation("remove without uncounted links", _deployed(), _destroy, UNCOUNTED, deletes=True),
    Operation("remove with links and the word", _deployed(3, allow_disruption=True), _destroy, deletes=True),
    Operation("disable on delete", _deployed(on_delete="disable"), _destroy, deletes=True),
    Operation("disable on delete with links", _deployed(3, on_delete="disable"), _destroy, refused=_DISABLES),
    Operation("keep on delete", _deployed(3, on_delete="keep"), _destroy, deletes=True),
    # look
    Operation("read", _deployed(3), _get),
    Operation("refresh", _deployed(3), _refresh),
    Operation("refresh, opaque Codat", _deployed(), _refresh, OPAQUE),
    Operation("refresh of what was changed by hand", _then(_deployed(), _all_by_hand), _refresh),
    Operation("drift", _deployed(3), _drift),
    Operation("drift, asking Zoho", _always, _drift, probes_again=True),
    Operation("drift of what was changed by hand", _then(_deployed(), _all_by_hand), _drift),
    Operation("adopt", _by_hand(True, keys(), linked=3), _adopt),
    Operation("adopt, uncounted", _by_hand(True, keys(), linked=3), _adopt, UNCOUNTED),
    # the Zoho client
    Operation("create the client", _no_books, _up),
    Operation(
        "another secret of the client", _then(_no_books_deployed, _rotated, lambda s: s.world.books.clear()), _up
    ),
    Operation("more regions", _then(_no_books_deployed, _regions("eu", "jp", "uk", "us")), _up),
    Operation("refresh the client, asking Zoho", _always, _refresh, probes_again=True),
)
