"""Requests and answers of the simulated services, and how Codat words errors and pages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Request:
    """One request, read."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    @property
    def base(self) -> str:
        """The address that the request went to."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def json(self) -> Any:
        """What the body says, None where it is no JSON or is not declared as such."""
        if self.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Reply:
    """One answer; ``detail`` is for the log. A ``body`` in bytes is a page for a browser."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


def error(status: int, text: str) -> Reply:
    """An error as Codat words it."""
    body = {"statusCode": status, "service": "ClientsApi", "error": text, "correlationId": uuid.uuid4().hex}
    return Reply(status, body | {"canBeRetried": "Unknown", "detailedErrorCode": 0})


def page(results: list[Any], request: Request) -> Reply:
    """One page of a list, as Codat puts it."""
    given = parse_qs(request.query, keep_blank_values=True)
    query = {name.lower(): values for name, values in given.items()}
    if unheeded := sorted(name for name in given if name.lower() not in ("page", "pagesize")):
        return error(
            400,
            f"The simulator neither filters nor sorts, it knows page and pageSize: leave out {', '.join(unheeded)}.",
        )
    try:
        number, size = int(query.get("page", ["1"])[0]), int(query.get("pagesize", ["100"])[0])
    except ValueError:
        return error(400, "page and pageSize must be numbers.")
    if number < 1 or not 1 <= size <= 2000:
        return error(400, "page or pageSize is out of range.")
    total = len(results)
    numbers = {"current": number}
    if number * size < total:
        numbers["next"] = number + 1
    if number > 1:
        numbers["previous"] = number - 1
    links = {name: {"href": f"{request.path}?page={which}&pageSize={size}"} for name, which in numbers.items()}
    body = {"results": results[(number - 1) * size : number * size], "pageNumber": number, "pageSize": size}
    return Reply(200, {**body, "totalResults": total, "_links": {"self": {"href": request.path}, **links}})
