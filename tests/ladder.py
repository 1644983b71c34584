"""The conformance ladder: a narrated table of steps, each applied twice; the second time must send nothing.

The same steps run against the provider classes, over the engine's gRPC protocol, and (a selection) on the real engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.simulator import CodatClient, Simulator, Switches, ZohoClient
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, REGIONS, SECRET, keys

THIRD_SECRET = "c7e02b9d5a1f4836e0917db25c84fa6310be29d7a8"
FOREIGN_ID = "1000.FOREIGNCLIENTFOREIGNCLIENTFORE"


@dataclass
class World:
    """Where a ladder stands: the simulator, and what the program declares."""

    simulator: Simulator
    client: dict[str, Any] = field(default_factory=dict)
    books: dict[str, Any] = field(default_factory=dict)

    @property
    def codat(self) -> CodatClient:
        return self.simulator.codat[API_KEY]

    @property
    def zoho(self) -> ZohoClient:
        return self.simulator.zoho[ID]

    @property
    def switches(self) -> Switches:
        return self.simulator.switches

    def program(self) -> dict[str, dict[str, Any]]:
        """What is declared, in the order of deployment."""
        return {kind: props for kind, props in (("client", self.client), ("books", self.books)) if props}

    def declare(self, client_id: str = ID, client_secret: str | None = SECRET, **books: Any) -> None:
        """Declare both resources."""
        pair = {"client_id": client_id} | ({"client_secret": client_secret} if client_secret else {})
        self.client = {**pair, "regions": self.client.get("regions", REGIONS)}
        self.books = {"enabled": True, **self.books, "client_secret": None, **pair, **books}

    @property
    def masks_tell(self) -> bool:
        """Whether a secret changed by hand can be seen at all."""
        return self.switches.keys_shown and self.switches.mask == "last4"

    @property
    def id_tells(self) -> bool:
        """Whether a client id changed by hand can be seen at all."""
        return self.switches.keys_shown and (self.switches.mask == "last4" or not self.switches.mask_client_id)


def always(*writes: str) -> Callable[[World], list[str]]:
    """The same writes whatever the switches."""
    return lambda world: list(writes)


@dataclass
class Step:
    """One step.

    Args:
        name: what happens, in words.
        act: changes the world as a person in the Portal or console would, and what is declared.
        writes: what must be sent to Codat, given the switches.
        refresh: whether the deployment refreshes first.
        drift: which fields of the integration a drift check must name before the deployment, given the switches.
        error: what the deployment must fail with; nothing may be sent then.
        probes: which data centres must be asked.
        destroy: destroys instead.
        unseen: given the switches, why nobody can see this change, so that nothing happens.
        engine: also runs on the real engine.
    """

    name: str
    act: Callable[[World], None] = lambda world: None
    writes: Callable[[World], list[str]] = field(default_factory=always)
    refresh: bool = False
    drift: Callable[[World], set[str]] | None = None
    error: str = ""
    probes: tuple[str, ...] = ()
    destroy: bool = False
    unseen: Callable[[World], str] = lambda world: ""
    engine: bool = False


def _by_hand(**keys_: str) -> Callable[[World], None]:
    names = {"client_id": "clientId", "client_secret": "clientSecret"}
    return lambda world: world.codat.integration.keys.update({names[n]: v for n, v in keys_.items()})


def _set(world: World, **integration: Any) -> None:
    for name, value in integration.items():
        setattr(world.codat.integration, name, value)


def _zoho(world: World, client_id: str, secret: str) -> None:
    world.simulator.add_zoho_client(client_id, secret)


def _disable_writes(world: World) -> list[str]:
    """Disabling, and whatever side effects make necessary: the keys are declared too."""
    if world.switches.disabling_keeps_keys:
        return ["disable"]
    if world.switches.saving_keeps_enabled:
        return ["disable", "save keys"]
    return ["disable", "save keys", "disable"]  # They undo each other: disabled wins, and that is said.


def _enable_writes(world: World) -> list[str]:
    if world.codat.integration.keys:
        return ["enable"]
    return ["save keys"] if not world.switches.saving_keeps_enabled else ["save keys", "enable"]


def _save_and_enable(world: World) -> list[str]:
    return ["save keys", "enable"] if world.switches.saving_keeps_enabled else ["save keys"]


def _rotate(world: World) -> None:
    world.zoho.secret = OTHER_SECRET
    world.declare(client_secret=OTHER_SECRET)


def _rotated_by_hand_first(world: World) -> None:
    world.zoho.secret = THIRD_SECRET
    _by_hand(client_secret=THIRD_SECRET)(world)
    world.declare(client_secret=THIRD_SECRET)


def _another_client(world: World) -> None:
    _zoho(world, OTHER_ID, OTHER_SECRET)
    world.declare(OTHER_ID, OTHER_SECRET)


def _back(world: World) -> None:
    world.zoho.secret = SECRET
    world.declare()


def _link(world: World) -> None:
    world.codat.linked = 3


def _regions(
    *codes: str, enabled: set[str] | None = None, throttled: set[str] | None = None
) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.client["regions"] = list(codes)
        if enabled is not None:
            world.zoho.enabled = enabled
        world.zoho.throttled = throttled or set()

    return act


def _fresh(enabled: bool, stored: dict[str, str] | None, **declared: Any) -> Callable[[World], None]:
    """Somebody has set the integration up by hand, and it is declared for the first time."""

    def act(world: World) -> None:
        _set(world, enabled=enabled, keys=dict(stored or {}))
        world.codat.linked = 0
        world.client, world.books = {}, {}
        world.declare(**declared)

    return act


OPAQUE = "the mask hides everything"


def _unless_shown(world: World) -> str:
    return "" if world.switches.keys_shown else "Codat does not offer reading the stored keys"


LADDER = (
    Step("create on empty", World.declare, _save_and_enable, probes=("eu", "uk", "us"), engine=True),
    Step("refresh with nothing changed", refresh=True, drift=lambda world: set()),
    Step(
        "drift: disabled in the Portal",
        lambda world: _set(world, enabled=False),
        always("enable"),
        refresh=True,
        drift=lambda world: {"enabled"},
        engine=True,
    ),
    Step(
        "drift: another secret saved in the Portal",
        _by_hand(client_secret=OTHER_SECRET),
        always("save keys"),
        refresh=True,
        drift=lambda world: {"client_secret_fingerprint"},
        unseen=lambda world: "" if world.masks_tell else OPAQUE,
        engine=True,
    ),
    Step("set back by hand", _by_hand(client_secret=SECRET), refresh=True),
    Step(
        "drift: another client id saved in the Portal",
        _by_hand(client_id=FOREIGN_ID),
        always("save keys"),
        refresh=True,
        drift=lambda world: {"client_id"},
        unseen=lambda world: "" if world.id_tells else OPAQUE,
        engine=True,
    ),
    Step("set back by hand again", _by_hand(client_id=ID), refresh=True),
    Step(
        "drift: keys deleted in the Portal",
        lambda world: world.codat.integration.keys.clear(),
        always("save keys"),
        refresh=True,
        drift=lambda world: {"client_id", "client_secret_fingerprint"},
        unseen=_unless_shown,
        engine=True,
    ),
    Step("and saved again by hand", lambda world: _set(world, keys=keys()), refresh=True),
    Step(
        "drift: everything at once",
        lambda world: _set(world, enabled=False, keys={} if world.switches.keys_shown else keys()),
        lambda world: _save_and_enable(world) if world.switches.keys_shown else ["enable"],
        refresh=True,
        drift=lambda world: (
            {"enabled", "client_id", "client_secret_fingerprint"} if world.switches.keys_shown else {"enabled"}
        ),
        engine=True,
    ),
    Step("rotate the secret", _rotate, always("save keys"), probes=("eu", "uk", "us"), engine=True),
    Step(
        "rotate a secret that was already saved by hand",
        _rotated_by_hand_first,
        lambda world: [] if world.masks_tell else ["save keys"],
        probes=("eu", "uk", "us"),
    ),
    Step("another client id", _another_client, always("save keys"), probes=("eu", "uk", "us"), engine=True),
    Step("back to the first client", _back, always("save keys"), probes=("eu", "uk", "us"), engine=True),
    Step("disable", lambda world: world.declare(enabled=False), _disable_writes, engine=True),
    Step("refresh while disabled", refresh=True, drift=lambda world: set()),
    Step("enable again", lambda world: world.declare(enabled=True), _enable_writes, engine=True),
    Step("companies are linked", _link, refresh=True, drift=lambda world: set(), engine=True),
    Step(
        "disabling is refused while companies are linked",
        lambda world: world.declare(enabled=False),
        error="Disabling the integration would cut off 3 linked companies",
        engine=True,
    ),
    Step(
        "another client id is refused while companies are linked",
        lambda world: world.declare(OTHER_ID, OTHER_SECRET, enabled=True),
        error="Changing the client id .* would cut off 3 linked companies",
        probes=("eu", "uk", "us"),
        engine=True,
    ),
    Step("rotating the secret alone is not", _back, lambda world: [], probes=("eu", "uk", "us"), engine=True),
    Step(
        "destroying is refused while companies are linked",
        destroy=True,
        error="would cut off 3 linked companies",
        engine=True,
    ),
    Step("the word is given", lambda world: world.declare(allow_disruption=True), engine=True),
    Step("disable with the word", lambda world: world.declare(enabled=False), _disable_writes, engine=True),
    Step(
        "enable again, the word taken back",
        lambda world: world.declare(enabled=True, allow_disruption=False),
        _enable_writes,
    ),
    Step(
        "a region that Zoho rejects fails the step",
        _regions("au", "eu", "uk", "us", enabled={"eu", "uk", "us"}),
        error="refused by au",
        probes=("au",),
        engine=True,
    ),
    Step(
        "the region enabled in the console",
        _regions("au", "eu", "uk", "us", enabled={"au", "eu", "uk", "us"}),
        probes=("au",),
    ),
    Step("fewer regions need no question", _regions("us", "uk", "eu")),
    Step("the order of regions does not matter", _regions("eu", "us", "uk")),
    Step(
        "an inconclusive region only warns",
        _regions("eu", "jp", "uk", "us", throttled={"jp"}),
        probes=("jp",),
        engine=True,
    ),
    Step("and back", _regions("eu", "uk", "us"), engine=True),
    Step("enabled is declared no more", lambda world: world.books.update(enabled=None)),
    Step(
        "and is left alone",
        lambda world: _set(world, enabled=False),
        refresh=True,
        drift=lambda world: set(),
    ),
    Step("declared again", lambda world: world.declare(enabled=True), always("enable")),
    Step("keep on delete", lambda world: world.declare(on_delete="keep"), engine=True),
    Step("destroy, keeping", destroy=True, engine=True),
    Step(
        "adopt what is identical",
        _fresh(True, keys()),
        lambda world: [] if world.masks_tell else ["save keys"],
        probes=("eu", "uk", "us"),
        engine=True,
    ),
    Step("disable on delete", lambda world: world.declare(on_delete="disable"), engine=True),
    Step("destroy, disabling", destroy=True, writes=always("disable"), engine=True),
    Step(
        "adopt what differs",
        _fresh(False, keys(FOREIGN_ID, OTHER_SECRET)),
        _save_and_enable,
        probes=("eu", "uk", "us"),
        engine=True,
    ),
    Step(
        "destroy, removing",
        destroy=True,
        writes=lambda world: ["disable", "delete keys"] if world.switches.disabling_keeps_keys else ["disable"],
        engine=True,
    ),
    Step("adopt without knowing the secret", _fresh(True, keys(), client_secret=None), engine=True),
    Step(
        "drift is still found",
        lambda world: _set(world, enabled=False),
        always("enable"),
        refresh=True,
        drift=lambda world: {"enabled"},
    ),
    Step(
        "the secret becomes known",
        World.declare,
        lambda world: [] if world.masks_tell else ["save keys"],
        probes=("eu", "uk", "us"),
        engine=True,
    ),
    Step(
        "the integration is gone",
        lambda world: _set(world, offered=False),
        refresh=True,
        error="Codat does not know what was asked for",
    ),
    Step(
        "and offered again",
        lambda world: _set(world, offered=True),
        lambda world: [] if world.masks_tell else ["save keys"],
    ),
    Step(
        "only the switch is managed",
        lambda world: world.books.update(client_id=None, client_secret=None),
        lambda world: [],
    ),
    Step(
        "destroy",
        engine=True,
        destroy=True,
        writes=lambda world: ["disable", "delete keys"] if world.switches.disabling_keeps_keys else ["disable"],
    ),
)
