"""What this machine says: the pulumi command, project, stack, configuration, proxies, TLS trust."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from codat_zoho.adopt.run import NEEDED
from codat_zoho.declare.stack_config import KEYS, declared
from codat_zoho.declare.tokens import CONFIG_KEYS, NAMESPACE
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, trouble, warn
from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_cli import version_of

_INSTALL = "Install it: https://www.pulumi.com/docs/install/"
_SECRETS = ("zohoClientSecret", "apiKey", "apiKeys")


def pulumi_command(now: Situation) -> Iterator[Finding]:
    """The pulumi command: there, and new enough."""
    topic = "Pulumi CLI"
    if now.cli is None:
        yield fail(topic, "there is no pulumi command on PATH.", _INSTALL)
        return
    try:
        version = now.cli.version()
    except ConfigurationError as error:
        now.cli = None
        yield trouble(topic, error)
        return
    what = f"{one_line(version, 40)}, {now.cli.command}"
    if version_of(version) < (3, 216):
        yield fail(topic, f"{what}: drift is read with 3.216 or newer.", f"Update it. {_INSTALL}")
    elif version_of(version) < (3, 227):
        yield warn(topic, f"{what}: exit code 7 for drift needs 3.227 or newer.", f"Update it. {_INSTALL}")
    elif version_of(version) < version_of(NEEDED):
        yield warn(topic, f"{what}: `codat-zoho adopt --run` needs {NEEDED} or newer.", f"Update it. {_INSTALL}")
    else:
        yield ok(topic, what)


def project(now: Situation) -> Iterator[Finding]:
    """The project in this folder."""
    if now.project is None:
        yield warn("project", "there is no Pulumi.yaml here or above.", "Change to the project's folder, or use --cwd.")
        return
    kind = "the ready-to-use one" if now.ready_to_use else "a program of its own"
    yield ok("project", f"{one_line(now.project.name)}, {kind}, {now.project.folder}")


def stack(now: Situation) -> Iterator[Finding]:
    """Backend, stack, and whether its configuration can be read; keeps the configuration for later checks."""
    if now.project is not None:
        now.config = now.project.defaults
    if now.cli is None or now.project is None:
        return
    try:
        yield ok("backend", now.cli.backend())
        stacks = now.cli.stacks()
    except ConfigurationError as error:
        yield fail("backend", error.what, "Log in: pulumi login")
        return
    named, now.stack = now.stack, now.stack or next((name for name, current in stacks.items() if current), None)
    if now.stack is None:
        yield warn("stack", "none is selected.", "Run: pulumi stack select (or init), or name it with --stack")
        return
    if named and not any(named == one or named.endswith(f"/{one}") or one.endswith(f"/{named}") for one in stacks):
        known = ", ".join(map(one_line, stacks)) or "none"
        yield fail("stack", f"there is no {one_line(named)}; there are: {known}.", f"Run: pulumi stack init {named}")
        now.stack = None
        return
    try:
        now.config = {**now.project.defaults, **now.cli.config(now.stack)}
    except (ConfigurationError, ValueError) as error:
        told = error.what if isinstance(error, ConfigurationError) else "its configuration is not readable"
        yield fail(
            "stack",
            f"{one_line(now.stack)}: {told}",
            "Set PULUMI_CONFIG_PASSPHRASE, or get access to the key that encrypts its secrets.",
        )
        now.stack = None
        return
    yield ok("stack", one_line(now.stack))


def configuration(now: Situation) -> Iterator[Finding]:
    """Whether the stack's configuration declares something valid, with its secrets encrypted and no typos."""
    topic = "configuration"
    if now.cli is None or now.stack is None:
        return
    bad = False
    encrypted = now.cli.secret_keys(now.stack)
    for key in _SECRETS:
        if now.config.get(f"{NAMESPACE}:{key}") and f"{NAMESPACE}:{key}" not in encrypted:
            bad = True
            yield fail(
                topic,
                f"{NAMESPACE}:{key} is stored in clear.",
                f"Make another in its console, then: pulumi config set --secret {NAMESPACE}:{key}",
            )
    if not now.ready_to_use:
        if not bad:
            yield ok(topic, "declared by the program; `pulumi preview` checks it")
        return
    for problem in declared(now.config).problems():
        bad = True
        yield fail(topic, f"{problem}.", "Set it right: pulumi config set")
    assert now.project is not None
    known = (*KEYS, *CONFIG_KEYS, *now.project.declared)
    for full in now.config:
        space, _, key = full.partition(":")
        if space != NAMESPACE or key in known:
            continue
        close = difflib.get_close_matches(key, known, n=1)
        bad = True
        hint = f"did you mean {close[0]}?" if close else "is it a left-over?"
        yield warn(topic, f"nothing reads {one_line(full)}: {hint}", f"pulumi config rm {full}")
    missing = [key for key in ("zohoClientId", "zohoClientSecret") if f"{NAMESPACE}:{key}" not in now.config]
    if missing:
        bad = True
        yield fail(
            topic,
            f"{', '.join(missing)} not set; an empty one leaves what Codat stores alone.",
            "Take over what is there: codat-zoho adopt",
        )
    if not bad:
        yield ok(topic, "valid")


def network(now: Situation) -> Iterator[Finding]:
    """Proxies, and the files that say whom to trust."""
    found = {name.upper(): value for name, value in os.environ.items() if name.lower() in _PROXIES and value}
    if found:
        shown = ", ".join(f"{name}={_address(value)}" for name, value in sorted(found.items()))
        yield ok("proxies", f"{shown} (never used for this machine itself)")
    else:
        yield ok("proxies", "none set")
    trusted = {name: value for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if (value := os.environ.get(name))}
    gone = [name for name, value in trusted.items() if not Path(value).exists()]
    if gone:
        yield fail("TLS trust", f"{', '.join(gone)} names what is not there.", f"Set it right, or: unset {gone[0]}")
    elif trusted:
        yield ok("TLS trust", ", ".join(f"{name}={one_line(value)}" for name, value in trusted.items()))
    else:
        yield ok("TLS trust", "the certificates that come with Python's certifi")


_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def _address(value: str) -> str:
    """A proxy without its user and password."""
    if "@" not in value:
        return one_line(value)
    scheme = value.partition("://")[0] if "://" in value else "http"
    return one_line(f"{scheme}://[redacted]@{value.rpartition('@')[2]}")
