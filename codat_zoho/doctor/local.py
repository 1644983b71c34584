"""What this machine says: the pulumi command, project, stack, configuration, proxies, TLS trust."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.declare.settings import KEYS, SECRET_KEYS, declared
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, trouble, warn
from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import state
from codat_zoho.workspace.command import IMPORTS_DYNAMIC, Pulumi, is_listed, version_of
from codat_zoho.workspace.state import Unreadable

_INSTALL = "Install it: https://www.pulumi.com/docs/install/"
_NEEDED = (
    ("3.216", fail, "drift is read with 3.216 or newer"),
    ("3.227", warn, "exit code 7 for drift needs 3.227 or newer"),
    (IMPORTS_DYNAMIC, warn, f"`codat-zoho adopt --run` needs {IMPORTS_DYNAMIC} or newer"),
)
"""Versions of the pulumi command, and what is missing below each."""
_LOGINS = (
    ("postgres:|pq:", "Set user and password right in PULUMI_BACKEND_URL, or set PGUSER and PGPASSWORD."),
    ("s3:|S3:", "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for a user who may read the bucket."),
    ("gs:|google", "Run: gcloud auth application-default login; or set GOOGLE_APPLICATION_CREDENTIALS."),
    ("azblob:|Azure", "Run: az login; or set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY."),
    ("file:", "Set PULUMI_BACKEND_URL to a folder that is there."),
)
"""What to do where the backend cannot be used, by its address or by what pulumi says; else it takes a login."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def pulumi_command(now: Situation) -> Iterator[Finding]:
    """The pulumi command: there, and new enough."""
    topic = "Pulumi CLI"
    if now.pulumi is None:
        yield fail(topic, "there is no pulumi command on PATH.", _INSTALL)
        return
    try:
        version = now.pulumi.version()
    except ConfigurationError as error:
        now.pulumi = None
        yield trouble(topic, error)
        return
    what = f"{one_line(version, 40)}, {now.pulumi.command}"
    for needed, verdict, why in _NEEDED:
        if version_of(version) < version_of(needed):
            yield verdict(topic, f"{what}: {why}.", f"Update it. {_INSTALL}")
            return
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
    named, now.stack = now.stack, None
    if now.project is None:
        return
    now.config = now.project.defaults
    if now.pulumi is None:
        return
    try:
        yield ok("backend", now.pulumi.backend())
        stacks = now.pulumi.stacks()
    except ConfigurationError as error:
        told = f"{os.environ.get('PULUMI_BACKEND_URL', '')} {error.what}"
        step = next((step for words, step in _LOGINS if re.search(words, told)), "Log in: pulumi login")
        yield fail("backend", error.what, step)
        return
    name = named or next((name for name, selected in stacks.items() if selected), None)
    if name is None:
        yield warn("stack", "none is selected.", "Run: pulumi stack select (or init), or name it with --stack")
    elif named and not is_listed(named, stacks):
        known = ", ".join(map(one_line, stacks)) or "none"
        yield fail("stack", f"there is no {one_line(named)}; there are: {known}.", f"Run: pulumi stack init {named}")
    else:
        try:
            now.config = {**now.project.defaults, **now.pulumi.config(name)}
        except ConfigurationError as error:
            step = "Set PULUMI_CONFIG_PASSPHRASE, or get access to the key that encrypts its secrets."
            yield fail("stack", f"{one_line(name)}: {error.what}", step)
            return
        now.stack = name
        yield ok("stack", one_line(name))
        if not now.ready_to_use:
            yield from _deployed(now, now.pulumi, name)


def _deployed(now: Situation, pulumi: Pulumi, stack: str) -> Iterator[Finding]:
    """What a program of its own declared when it was last deployed: no file says it."""
    try:
        now.deployed = [one for one in state.read(pulumi.export(stack)).resources if not (one.odd or one.unfinished)]
    except (ConfigurationError, Unreadable) as error:
        yield warn("deployed", f"cannot be told: {one_line(str(error), 200)}", f"Look: pulumi stack export -s {stack}")
        return
    names = ", ".join(one_line(f"{one.name} ({one.kind})", 120) for one in now.deployed)
    yield ok("deployed", names or "nothing of this package yet, so the checks below look at what is the default")


def configuration(now: Situation) -> Iterator[Finding]:
    """Whether the stack's configuration declares something valid, with its secrets encrypted and no typos."""
    if now.pulumi is None or now.stack is None:
        return
    found = list(_in_clear(now, now.pulumi.secret_keys(now.stack)))
    if now.ready_to_use:
        found += _declared(now)
    if not found:
        fine = "valid" if now.ready_to_use else "declared by the program; `pulumi preview` checks it"
        found = [ok("configuration", fine)]
    yield from found


def _in_clear(now: Situation, encrypted: frozenset[str]) -> Iterator[Finding]:
    for key in (f"{NAMESPACE}:{name}" for name in SECRET_KEYS):
        if now.config.get(key) and key not in encrypted:
            step = f"Make another in its console, then: pulumi config set --secret {key}"
            yield fail("configuration", f"{key} is stored in clear.", step)


def _declared(now: Situation) -> Iterator[Finding]:
    """What is wrong with the settings of the ready-to-use project."""
    topic = "configuration"
    for problem in declared(now.config).problems():
        yield fail(topic, f"{problem}.", "Set it right: pulumi config set")
    assert now.project is not None
    known = (*KEYS, *CONFIG_KEYS, *now.project.declares)
    for full in now.config:
        space, _, key = full.partition(":")
        if space == NAMESPACE and key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "is it a left-over?"
            yield warn(topic, f"nothing reads {one_line(full)}: {hint}", f"pulumi config rm {full}")
    missing = [key for key in ("zohoClientId", "zohoClientSecret") if f"{NAMESPACE}:{key}" not in now.config]
    if missing:
        what = f"{', '.join(missing)} not set; an empty one leaves what Codat stores alone."
        yield fail(topic, what, "Take over what is there: codat-zoho adopt")


def proxies(now: Situation) -> Iterator[Finding]:
    """The proxies that requests go through."""
    found = {name.upper(): value for name, value in os.environ.items() if name.lower() in _PROXIES and value}
    shown = ", ".join(f"{name}={_address(value)}" for name, value in sorted(found.items()))
    yield ok("proxies", f"{shown} (never used for this machine itself)" if found else "none set")


def tls_trust(now: Situation) -> Iterator[Finding]:
    """The files that say whom to trust."""
    trusted = {name: value for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if (value := os.environ.get(name))}
    gone = [name for name, value in trusted.items() if not Path(value).exists()]
    if gone:
        yield fail("TLS trust", f"{', '.join(gone)} names what is not there.", f"Set it right, or: unset {gone[0]}")
    elif trusted:
        yield ok("TLS trust", ", ".join(f"{name}={one_line(value)}" for name, value in trusted.items()))
    else:
        yield ok("TLS trust", "the certificates that come with Python's certifi")


def _address(value: str) -> str:
    """A proxy without its user and password."""
    if "@" not in value:
        return one_line(value)
    scheme = value.partition("://")[0] if "://" in value else "http"
    return one_line(f"{scheme}://[redacted]@{value.rpartition('@')[2]}")
