"""Compares one stack's exported state with what Codat and Zoho say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codat_zoho.core.observe import CodatClient
from codat_zoho.declare.tokens import CLIENT, INTEGRATION
from codat_zoho.drift import failures, findings
from codat_zoho.drift.remote import Remote
from codat_zoho.drift.report import Resource, now
from codat_zoho.errors import CodatZohoError, ConfigurationError, NotFound
from codat_zoho.remote.budget import Deadline
from codat_zoho.remote.connection import Environment, api_key_names
from codat_zoho.workspace.children import Stopped
from codat_zoho.workspace.command import TOO_LONG
from codat_zoho.workspace.esc import Given
from codat_zoho.workspace.failures import AUTHENTICATION, Failed, Failure
from codat_zoho.workspace.state import ENCRYPTED, Deployed, Exported


def environment_of(state: Exported, given: Callable[[], Given]) -> Environment:
    """Find the settings of a stack: the environment, then what is recorded, then what ESC environments give.

    Args:
        state: as exported.
        given: opens the ESC environments; called only where an API key is found nowhere else.
    """
    recorded = {key: value for key, value in state.config.items() if value is not ENCRYPTED}
    environment = Environment(recorded)
    connections = {one.connection for one in state.resources if one.kind == INTEGRATION}
    try:
        missing = any(environment.found_api_key(connection) is None for connection in connections)
    except ConfigurationError:
        return environment  # What is wrong with it is said where it is needed.
    if not missing:
        return environment
    opened = given()
    return Environment({**opened.config, **recorded}, opened.variables)


@dataclass(frozen=True)
class Comparison:
    """One stack's comparison. The threads that look at its resources share it.

    Args:
        remote: asks Codat and Zoho.
        state: as exported.
        environment: finds the API keys and addresses.
        deadline: of the stack.
        up: the command that restores what is declared.
        verified: whether Zoho is asked.
    """

    remote: Remote
    state: Exported
    environment: Environment
    deadline: Deadline
    up: str
    verified: bool

    def resource(self, deployed: Deployed) -> Resource:
        """Say how one resource stands. What goes wrong is in the result."""
        failure = findings.failure(deployed)
        if failure is None:
            try:
                return self._client(deployed) if deployed.kind == CLIENT else self._integration(deployed)
            except NotFound:
                return findings.gone(deployed, self.up)
            except Failed as failed:
                failure = failed.failure
            except CodatZohoError as error:
                failure = TOO_LONG if not self.deadline.left() else failures.from_error(error)
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - it must not cost the report on all other stacks
                failure = failures.from_bug(error)
        return Resource(deployed.name, deployed.kind, deployed.urn, failure=failure)

    def _integration(self, deployed: Deployed) -> Resource:
        connection, outputs = deployed.connection, deployed.outputs
        recorded = CodatClient(outputs.get("codat_client"), outputs.get("codat_client_name"))
        missing = self.environment.found_api_key(connection) is None
        try:
            actual = self.remote.actual(self.environment, connection, recorded, self.deadline)
        except ConfigurationError as error:
            if missing:
                raise Failed(Failure(AUTHENTICATION, self._without_key(connection, error))) from None
            raise
        return findings.integration(deployed, actual, self.up)

    def _without_key(self, connection: str, error: ConfigurationError) -> str:
        variable, key = api_key_names(connection)
        if ENCRYPTED in (self.state.config.get(key), self.state.config.get("apiKeys")):
            return (
                f"The Codat API key for connection {connection!r} is encrypted in this state. Set {variable}, or "
                "export it with 'pulumi stack export --show-secrets'."
            )
        return f"{error} Drift reads what the last deployment was given, so run pulumi up after setting it there."

    def _client(self, deployed: Deployed) -> Resource:
        question = findings.question(deployed)
        if question is None or question.client_secret is None or not self.verified:
            return findings.client(deployed, question, {} if self.verified else None)
        verdicts = self.remote.verdicts(
            self.environment, question.regions, question.client_id, question.client_secret, self.deadline
        )
        return findings.client(deployed, question, verdicts, now())
