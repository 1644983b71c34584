"""Looks before anything is created: what Codat holds, and what the last deployment of the stack says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codat_zoho.core.linking import Company, rejected
from codat_zoho.core.masks import Known
from codat_zoho.core.observe import ActualIntegration, CodatClient
from codat_zoho.declare.platform import CLIENT, INTEGRATION
from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.errors import ConfigurationError
from codat_zoho.link.run import survey
from codat_zoho.remote.codat import ApiKey
from codat_zoho.remote.companies import Companies
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import state
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project


@dataclass(frozen=True)
class Looked:
    """What was found.

    Args:
        key: the API key.
        url: Codat's address.
        actual: the integration and its keys.
        client: which Codat client it is.
        linked: how many companies are linked.
        tests: companies that earlier tests left.
        verdicts: what each data centre of Zoho said when it was last asked, as recorded by the stack.
        verified_at: when that was.
        fingerprint: of the secret that was deployed, unless Codat is known to hold another.
        notes: what cannot be told, or looks wrong.
    """

    key: ApiKey
    url: str
    actual: ActualIntegration
    client: CodatClient
    linked: int
    tests: list[Company]
    verdicts: Mapping[str, str]
    verified_at: str
    fingerprint: str | None
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Put it into words."""
        yield f"Codat client {self.client.why or self.client}, API key from {self.key.source}."
        enabled = "enabled" if self.actual.enabled else "disabled"
        keys = "no keys stored" if self.actual.keys is None else f"keys stored (secret {self.actual.secret_in_words})"
        if self.actual.keys_untold:
            keys = f"whether keys are stored cannot be told, since {self.actual.keys_untold}"
        yield f"Zoho Books: {enabled}; {keys}; linked companies: {self.linked}."
        if self.verdicts:
            said = ", ".join(f"{code} {one}" for code, one in sorted(self.verdicts.items()))
            yield f"Zoho's data centres, when they were last asked ({self.verified_at}): {said}."
        if no := rejected(self.verdicts):
            yield f"Caution: customers in {', '.join(no)} cannot link; use a test organisation of another data centre."
        yield from self.notes


def look(http: Http, arguments: argparse.Namespace, project: Project | None) -> Looked:
    """Read the stack, where one is named, then Codat.

    Raises:
        ConfigurationError: no API key, or a stack that cannot be read.
        WrongCodatClient: the API key opens another Codat client than the one that the stack was deployed to.
    """
    environment, deployed = Environment(), state.Exported()
    if arguments.stack:
        cli = Pulumi.find(project.folder if project else arguments.cwd.resolve())
        if cli is None:
            raise ConfigurationError("--stack needs the pulumi command on PATH.", "See `codat-zoho doctor`.")
        environment = Environment.of(cli.config(arguments.stack).get)
        try:
            deployed = state.read(cli.export(arguments.stack))
        except state.Unreadable as problem:
            raise ConfigurationError(
                f"The state of stack {one_line(arguments.stack)} cannot be read: {problem}"
            ) from None
    ours = [one for one in deployed.resources if not (one.odd or one.unfinished)]
    books = next((one for one in ours if one.kind == INTEGRATION and one.connection == arguments.connection), None)
    inputs: Mapping[str, Any] = books.inputs if books else {}
    key, url = environment.api_key(arguments.connection), environment.codat_url()
    codat = Companies(http, key, url=url, paths=environment.paths())
    client, actual = codat.named_client(), codat.actual()
    if books:
        recorded = CodatClient(books.outputs.get("codat_client"), books.outputs.get("codat_client_name"))
        codat.confirm(client, recorded)
    linked, tests = survey(codat)
    zoho = _client_of(ours, inputs)
    fingerprint, notes = _fingerprint(inputs, actual) if books else (None, (_NO_STACK,))
    if arguments.stack and not books:
        notes = (
            f"Stack {one_line(arguments.stack)} has no integration of connection {arguments.connection!r} deployed.",
        )
    return Looked(
        key,
        url,
        actual,
        client,
        linked,
        tests,
        zoho.outputs.get("verdicts") or {} if zoho else {},
        str(zoho.outputs.get("verified_at") or "unknown") if zoho else "",
        fingerprint,
        notes,
    )


_NO_STACK = "What Zoho's data centres said, and which secret was deployed, is not known: name the stack with --stack."


def _client_of(ours: list[state.Deployed], inputs: Mapping[str, Any]) -> state.Deployed | None:
    """The Zoho client of an integration, by its id."""
    clients = [one for one in ours if one.kind == CLIENT]
    return next((one for one in clients if one.inputs.get("client_id") == inputs.get("client_id")), None)


def _fingerprint(inputs: Mapping[str, Any], actual: ActualIntegration) -> tuple[str | None, tuple[str, ...]]:
    """The fingerprint of the deployed secret, unless what Codat shows is another's."""
    named, known = inputs.get(FINGERPRINT), {name: inputs.get(name) for name in ("client_id", "client_secret")}
    shown = {"client_id": actual.client_id, "client_secret": actual.client_secret}
    for name, value in known.items():
        if isinstance(value, str) and actual.reading(shown[name], value).known is Known.DIFFERENT:
            return None, (f"Caution: Codat holds another {name} than the stack deployed; see `codat-zoho drift`.",)
    return (named if is_fingerprint(named) else None), ()
