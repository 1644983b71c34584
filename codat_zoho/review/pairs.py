"""Which resource before a change is which after it, as Pulumi tells them apart, and what follows from their options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from codat_zoho.declare.describe import snake_case
from codat_zoho.declare.platform import INTEGRATION
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.review.declaration import Resource
from codat_zoho.review.judge import finding
from codat_zoho.review.report import Finding, Level
from codat_zoho.review.steps import Sides
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, kind_of, name_of

_AS_DEPLOYED = Field(f"{ELSEWHERE}the state", "as it was deployed (ignoreChanges)", known=False)
_RETAINED = Field('"keep"', "keep (retainOnDelete)", "keep")
_REPLACES = "Pulumi may delete and create it, and deleting follows the deletion policy"
_PLUGIN = "another plugin runs, with all its secrets"
_KEYS = "requests go with the API key and to the addresses of another provider, perhaps to another Codat client"
_OPTIONS: Mapping[str, tuple[Level, str]] = {
    "deleteBeforeReplace": ("danger", _REPLACES),
    "deletedWith": ("caution", "where the other resource is deleted in the same run, nothing of this one is sent"),
    "envVarMappings": ("danger", "the plugin takes keys and addresses from other environment variables"),
    "hideDiffs": ("caution", "previews do not show these changes any more"),
    "ignoreChanges": (
        "danger",
        "what it lists stays as it was deployed, whatever the program says, and the rest does not",
    ),
    "import": ("caution", "pulumi up records what is there, and then changes what the program declares otherwise"),
    "parent": (
        "danger",
        "to Pulumi it is another resource: created anew, and the old one deleted, unless aliases tell",
    ),
    "pluginDownloadURL": ("danger", _PLUGIN),
    "protect": ("danger", "nothing keeps Pulumi from deleting it any more"),
    "provider": ("danger", _KEYS),
    "providers": ("danger", _KEYS),
    "replaceOnChanges": ("danger", _REPLACES),
    "replaceWith": ("danger", _REPLACES),
    "replacementTrigger": ("danger", _REPLACES),
    "retainOnDelete": ("danger", "deleting it reaches Codat, as the deletion policy says"),
    "version": ("danger", _PLUGIN),
}
"""What follows from a change of an option, and how bad it is; the others change nothing that reaches Codat."""
_GUARDS = ("protect", "retainOnDelete")


@dataclass(frozen=True, slots=True)
class Pair:
    """A resource before and after a change; one side is empty where it comes or goes.

    ``renamed`` is its old name where it is another resource to Pulumi, but the same integration.
    """

    name: str
    kind: str
    before: Fields
    after: Fields
    old: Fields = field(default_factory=dict)
    new: Fields = field(default_factory=dict)
    renamed: str = ""

    @property
    def sides(self) -> Sides:
        """Its fields before and after."""
        return Sides(self.before, self.after)

    @property
    def options(self) -> Sides:
        """Its options before and after, where it is there on both sides."""
        return Sides(self.old, self.new) if self.before and self.after else Sides({}, {})


def paired(before: Sequence[Resource], after: Sequence[Resource]) -> Iterator[Pair]:
    """Pair resources by type and name, by alias, and integrations by connection; then yield what comes and goes."""
    gone, came = ({(one.kind, one.name): one for one in side} for side in (before, after))
    for key, new in [*came.items()]:
        names = [key, *((new.kind, name) for name in _aliases(new))]
        old = next((gone.pop(name) for name in names if name in gone and (name == key or name not in came)), None)
        if old:
            yield _pair(old, came.pop(key))
    for key, new in [*came.items()]:
        same = [one for one in gone.values() if _connection(one) is not None and _connection(one) == _connection(new)]
        if len(same) == 1:
            yield _pair(gone.pop((same[0].kind, same[0].name)), came.pop(key), renamed=same[0].name)
    for one in gone.values():
        kept = {"on_delete": _RETAINED} if one.kind == INTEGRATION and _is(one.options, "retainOnDelete") else {}
        yield Pair(one.name, one.kind, {**one.fields, **kept}, {}, one.options)
    for one in came.values():
        yield Pair(one.name, one.kind, {}, one.fields, new=one.options)


def _pair(old: Resource, new: Resource, renamed: str = "") -> Pair:
    """Both sides, with what the engine puts in the place of a field that it ignores."""
    before, after = dict(old.fields), dict(new.fields)
    for name in _ignored(old):
        before[name] = _AS_DEPLOYED
    for name in () if renamed else _ignored(new):
        after.pop(name, None)
        after.update({name: before[name]} if name in before else {})
    return Pair(new.name, new.kind, before, after, old.options, new.options, renamed)


def _ignored(one: Resource) -> set[str]:
    listed = one.options.get("options.ignoreChanges")
    names = {re.sub(r'^\["?|"?\]$|[.\[].*', "", str(way)) for way in _list(listed)}
    if "*" in names:
        return {*one.fields}
    ignored = {snake_case(name) for name in names}
    return ignored | ({FINGERPRINT} if "client_secret" in ignored else set())


def _aliases(one: Resource) -> Iterator[str]:
    """Its other names, where that is all that an alias says, or a whole URN of the same class."""
    for alias in _list(one.options.get("options.aliases")):
        if isinstance(alias, dict) and [*alias] == ["name"]:
            yield str(alias["name"])
        elif isinstance(alias, str) and alias.startswith("urn:") and kind_of(alias.split("::")[-2]) == one.kind:
            yield name_of(alias)


def _list(one: Field | None) -> list[object]:
    return one.value if one is not None and isinstance(one.value, list) else []


def _connection(one: Resource) -> tuple[object, str] | None:
    """Which integration it is: the connection, and the provider whose API keys they are."""
    connection, provider = one.fields.get("connection"), one.options.get("options.provider")
    if one.kind != INTEGRATION or connection is None or not connection.known:
        return None
    return connection.value, provider.identity if provider else ""


def _is(options: Fields, name: str) -> bool:
    found = options.get(f"options.{name}")
    return found is not None and found.value is True


def option_findings(one: Pair) -> Iterator[Finding]:
    """Find what the options of a resource, or its name, change about what reaches Codat."""
    if one.kind == INTEGRATION and one.renamed:
        text = (
            f"{one.renamed} is now called {one.name}: Pulumi creates that, then deletes the old one. Nothing is sent "
            "only because both are of one connection and one run; an alias of the old name makes it one resource."
        )
        yield finding("renamed", "caution", text, one.after.get("connection"))
    if one.before and (one.renamed or not one.after) and _is(one.old, "protect"):
        name = one.renamed or one.name
        text = f"{name} is protected: pulumi up fails instead of deleting it, until somebody unprotects it."
        yield finding("refused", "caution", text, one.old["options.protect"])
    if "options.import" in one.new and not one.before:
        yield finding("options-changed", "caution", f"{one.name}: {_OPTIONS['import'][1]}.", one.new["options.import"])
    for option in one.options.differ:
        name = option.partition(".")[2]
        if name not in _OPTIONS or (name in _GUARDS and _is(one.new, name)):
            continue
        if name in _GUARDS and option in one.old and one.old[option].value is False:
            continue
        yield option_changed(one.name, name, one.new.get(option) or one.old[option])


def option_changed(resource: str, name: str, at: Field | None = None) -> Finding:
    """What follows from a change of an option of a resource."""
    level, follows = _OPTIONS[name]
    return finding("options-changed", level, f"{resource}: the option {name} changes: {follows}.", at)
