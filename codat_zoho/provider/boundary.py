"""What stands between a provider method and the engine: one clean line out, and nothing secret in it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from codat_zoho.errors import CodatZohoError
from codat_zoho.provider.inputs import marked
from codat_zoho.provider.process import CONTEXT, in_provider_process, say
from codat_zoho.texts.environment_variables import counting, debugging
from codat_zoho.texts.redact import redact, register

P = ParamSpec("P")
R = TypeVar("R")


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let nothing but a one-line error out of what a provider does.

    The SDK shows a whole traceback of whatever a method raises, with its text as it is, and hangs for ever on what is
    no ``Exception``. It prints ``Name: text`` for an exception whose module is ``builtins`` and that has no cause; an
    SDK before 3.260 prints the text alone, so the name goes into the text there.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            for bag in args:  # Old secrets too: Codat may say the one that it stores.
                if not isinstance(bag, Mapping):
                    continue
                for name in ("client_secret", "client_id") if marked(bag) else ("client_secret",):
                    if isinstance(value := bag.get(name), str):
                        register(value)
            return method(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001
            name, text = _shown(error)
            if _sdk_leaves_out_names():
                text = f"{name}: {text}"
        finally:
            if counting():
                CONTEXT.say_calls()
        raise type(name, (Exception,), {"__module__": "builtins"})(text)

    return call


def _sdk_leaves_out_names() -> bool:
    """Whether this is the provider process of an SDK that shows the text of an exception and not its name."""
    if not in_provider_process():
        return False
    import importlib.metadata

    with suppress(importlib.metadata.PackageNotFoundError, ValueError):
        return tuple(map(int, importlib.metadata.version("pulumi").split(".")[:2])) < (3, 260)
    return False


def _shown(error: BaseException) -> tuple[str, str]:
    """The name and the text that are shown. The text of a foreign exception may quote anything, so it stays out."""
    if debugging():
        say("".join(traceback.format_exception(error)))
    if isinstance(error, CodatZohoError):
        return type(error).__name__, redact(str(error))
    if not isinstance(error, Exception):
        return "Interrupted", "The operation was interrupted. Nothing is lost: run it again."
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return (
        "InternalError",
        f"{type(error).__name__}{where}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 "
        "and report what it prints.",
    )
