"""One Codat client under observation: reads through the typed calls, writes so that every answer can be looked at."""

from __future__ import annotations

from typing import Any

from codat_zoho.core.observe import ActualIntegration
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.doctor.finding import Observed
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Answer

_SECONDS = 120.0


class Client:
    """One Codat client.

    Args:
        http: sends and keeps the answers.
        environment: finds key and addresses.
        connection: which API key.
    """

    def __init__(self, http: Observed, environment: Environment, connection: str) -> None:
        self.http, self.environment, self.connection = http, environment, connection
        self._key, self._url, self._paths = (
            environment.api_key(connection),
            environment.codat_url(),
            environment.paths(),
        )

    @property
    def source(self) -> str:
        """Where the API key comes from."""
        return self._key.source

    def look(self) -> tuple[ActualIntegration, Answer, Answer]:
        """Read, and return what it means and both answers: on the integration and on its keys."""
        codat = self.environment.codat(self.http, self.connection)
        codat.client()  # Asked once and remembered, so the last two answers are those of this look.
        actual = codat.actual()
        return actual, self.http.answers[-2], self.http.answers[-1]

    def count_linked(self) -> int:
        """Count linked companies from Codat's list."""
        codat = self.environment.codat(self.http, self.connection)
        codat.actual()  # It compares with the integration's id.
        return codat.count_linked()

    def enable(self, enabled: bool) -> int:
        """Switch it, and return the status."""
        return self._write("PUT", self._paths.enabled, {"enabled": enabled})

    def save(self, **keys: str) -> int:
        """Save keys, and return the status."""
        return self._write("PUT", self._paths.credentials, keys)

    def delete(self) -> int:
        """Delete the keys, and return the status."""
        return self._write("DELETE", self._paths.credentials, None)

    def _write(self, method: str, path: str, body: Any) -> int:
        answer = self.http.send(
            method,
            self._url + path.format(key=ZOHO_BOOKS.key),
            deadline=self.http.deadline(_SECONDS),
            headers={"Authorization": self._key.header},
            json_body=body,
        )
        return answer.status
