"""A made-up drift report with one of everything, names that mean harm among it."""

from __future__ import annotations

from dataclasses import replace

from codat_zoho.core.plan import How
from codat_zoho.drift.report import (
    FieldChange,
    Finding,
    Pending,
    Remediation,
    Report,
    Resource,
    Stack,
    State,
)
from codat_zoho.workspace.failures import Failure

HARM = "<b>|`x`|</b> @team \x07&"
URN = "urn:pulumi:prod::shop::pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration::zoho-books"
PORTAL = "Codat Portal, Settings > Integrations > Zoho Books"
FINE = Finding("enabled", State.AS_DECLARED, True, True, How.READ)
DRIFT = Finding(
    "enabled",
    State.DRIFT,
    True,
    False,
    How.READ,
    where=PORTAL,
    todo="The command below restores what is declared.",
    command="pulumi up --refresh --stack prod",
)
UNTOLD = Finding("client_secret", State.CANNOT_TELL, "fingerprint 0123", None, How.MASK, "Codat hides it.", PORTAL)
REJECTED = Finding("regions.uk", State.DRIFT, "accepted", "unknown client", How.PROBE, todo="Enable uk.")


def books(*findings: Finding, failure: Failure | None = None, notes: tuple[str, ...] = ()) -> Resource:
    """An integration."""
    return Resource("zoho-books", "ZohoBooksIntegration", URN, findings, notes, failure, 3)


def stack(name: str, *resources: Resource, **more: object) -> Stack:
    """A stack of the project shop."""
    made = Stack("shop", name, "shop", resources, seconds=0.5, deployed_at="2026-01-01T00:00:00Z")
    return replace(made, **more)  # type: ignore[arg-type]


SAMPLE = Report(
    stacks=(
        stack("dev", books(FINE)),
        stack("prod", books(DRIFT, UNTOLD, notes=("Codat does not say how many.",))),
        stack(
            "eu",
            Resource("client", "ZohoClientCredentials", "urn:client", (REJECTED,), verified_at="2026-01-02T00:00:00Z"),
        ),
        stack("down", books(failure=Failure("unreachable", "Codat could not be reached."))),
        stack("lost", failure=Failure("unknown stack", "There is no stack 'lost' in shop.")),
        stack("unclear", books(UNTOLD)),
        stack("empty"),
        stack(
            "busy",
            books(FINE),
            pending=(Pending("zoho-books (ZohoBooksIntegration)", "update", (FieldChange("enabled", True, False),)),),
            remediation=Remediation("done", "restored"),
        ),
        stack("broken", books(FINE), pending_failure=Failure("project", "main.py does not run.")),
        stack(HARM, books(replace(DRIFT, why=HARM)), failure=Failure("pulumi", HARM)),
    ),
    started="2026-01-02T03:04:05Z",
    seconds=4.2,
    notes=("Shard 1 of 2: 10 of 20 stacks.",),
)
