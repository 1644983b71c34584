"""What the engine calls. Only the faces of dynamic resources need Pulumi's SDK, so they are loaded when asked for.

State holds ``codat_zoho.provider.Books`` and ``codat_zoho.provider.ZohoClient`` by these names, see ``faces``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codat_zoho.provider.faces import Books, ZohoClient

__all__ = ["Books", "ZohoClient"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from codat_zoho.provider import faces

    found = globals()[name] = getattr(faces, name)
    return found
