"""Mistakes that type checkers must find.

`make check` fails where a line is not refused: mypy and basedpyright both report an ignore that ignores nothing.
"""

from __future__ import annotations

import pulumi

import codat_zoho as cz
from codat_zoho.simulator import Simulator, Switches
from codat_zoho.testing import assert_converges, assert_no_writes

cz.ZohoClientCredentials("c", client_id=1000)  # type: ignore[arg-type]
cz.ZohoClientCredentials("c", client_id="1000.X", verify="sometimes")  # type: ignore[arg-type]
cz.ZohoClientCredentials("c", client_id="1000.X", same_credentials_everywhere="yes")  # type: ignore[arg-type]
cz.ZohoClientCredentials("c", id="1000.X")  # type: ignore[call-arg]
cz.ZohoBooksIntegration("b", enabled="true")  # type: ignore[arg-type]
cz.ZohoBooksIntegration("b", credentials="client")  # type: ignore[arg-type]
cz.ZohoBooksIntegration("b", on_delete="destroy")  # type: ignore[arg-type]
cz.ZohoBooksIntegration("b", api_key="x")  # type: ignore[call-arg]
count: pulumi.Output[int] = cz.ZohoBooksIntegration("b").linked_companies  # type: ignore[assignment]
cz.Typo  # type: ignore[attr-defined]
Switches(mask="none")  # type: ignore[arg-type]
Simulator().add_codat_client(linked=2)  # type: ignore[call-arg]
assert_no_writes([])  # type: ignore[arg-type]
assert_converges(".")  # type: ignore[call-arg]
