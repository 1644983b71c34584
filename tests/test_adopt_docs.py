"""The page "From clicks to code" says only what is there."""

from __future__ import annotations

import importlib
import re

from codat_zoho.cli import COMMANDS
from tests.real_engine import ROOT

PAGE = (ROOT / "docs" / "adopt.md").read_text()
PULUMIS_OWN = {"--refresh", "--expect-no-changes", "--diff", "--preview-only", "--file", "--generate-code", "--secret"}


def test_every_option_on_the_page_exists() -> None:
    """Each option is one of our commands' or pulumi's."""
    ours = {
        option
        for name in COMMANDS
        for action in importlib.import_module(f"codat_zoho.cli.{name}").parser()._actions
        for option in action.option_strings
    }
    assert set(re.findall(r"--[a-z][a-z-]*", PAGE)) <= ours | PULUMIS_OWN


def test_every_command_on_the_page_exists() -> None:
    """Each `codat-zoho <command>` is one."""
    assert set(re.findall(r"codat-zoho ([a-z]+)", PAGE)) <= set(COMMANDS)
