"""A stand-in for the ``pulumi`` command that answers at once, and states in the form that the real one exports."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codat_zoho.declare.describe import camel_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX, SECRET, SECRET_ID, SIGNATURE, TOKEN_PREFIX
from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.settings import Spelling
from tests import support

SCRIPT = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
env > "$here/env.$$"
for last in "$@"; do :; done
case "$*" in
*"stack ls"*) if [ -f failure ]; then cat failure >&2; exit 255; else cat stacks.json; fi ;;
*"stack export"*)
    if [ -f "${last#--stack=}.failure" ]; then cat "${last#--stack=}.failure" >&2; exit 255; fi
    cat "${last#--stack=}.json" 2> /dev/null || { echo "error: no stack named '${last#--stack=}' found" >&2; exit 6; } ;;
*"env open"*) cat "esc-$last.json" 2> /dev/null || { echo "error: environment not found" >&2; exit 1; } ;;
*"preview --json"*) cat preview.json; ! grep -q '"severity": "error"\\|"failed"' preview.json ;;
*" up "*) exec ./up ;;
*) echo "error: not expected: $*" >&2; exit 1 ;;
esac
"""


def secret(value: object) -> dict[str, str]:
    """A secret as ``--show-secrets`` shows it."""
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def encrypted(_value: object = None) -> dict[str, str]:
    """A secret as it is shown without ``--show-secrets``."""
    return {SIGNATURE: SECRET, "ciphertext": "v1:abc:def"}


def resource(kind: str, inputs: dict[str, Any], outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A resource of this package; ``stack``, ``project`` and ``parents`` are those of its URN."""
    project, stack = more.pop("project", "shop"), more.pop("stack", "dev")
    chain = "".join(f"{parent}$" for parent in more.pop("parents", ()))
    name = more.pop("name", "client" if kind == CLIENT else "books")
    return {
        "urn": f"urn:pulumi:{stack}::{project}::{chain}{TOKEN_PREFIX}{kind}::{name}",
        "custom": True,
        "id": "default",
        "type": f"{TOKEN_PREFIX}{kind}",
        "inputs": {"__provider": "gASV", **inputs},
        "outputs": {"__provider": "gASV", **inputs, **outputs},
        **more,
    }


def books(*, enabled: bool = True, hide: Any = secret, declared: bool = True, **more: Any) -> dict[str, Any]:
    """An integration that was deployed with the usual client."""
    keys = {"client_id": support.ID, "client_secret_fingerprint": fingerprint(support.ID, support.SECRET)}
    inputs = {
        "connection": more.pop("connection", "default"),
        "enabled": enabled,
        "client_secret": hide(support.SECRET),
    }
    outputs = more.pop("outputs", {})
    if declared:
        outputs["declared"] = hide({**keys, "enabled": enabled, "at": more.pop("at", "2026-01-01T00:00:00Z")})
    return resource(INTEGRATION, {**inputs, **keys}, outputs, **more)


def state(*resources: dict[str, Any], config: dict[str, Any] | None = None, **deployment: Any) -> str:
    """An exported state, with what nobody must look at beside it."""
    provider = {
        "urn": "urn:pulumi:dev::shop::pulumi:providers:pulumi-python::default",
        "type": "pulumi:providers:pulumi-python",
        "id": "x",
        "inputs": {
            **{f"codat-zoho:{key}": value for key, value in (config or {}).items()},
            "shop:password": secret(OTHERS),
        },
    }
    foreign = {
        "urn": "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b",
        "type": "aws:s3/bucket:Bucket",
        "inputs": {"token": secret(OTHERS)},
    }
    whole = {"manifest": {}, "resources": [*resources, provider, foreign], **deployment}
    return json.dumps({"version": 3, "deployment": whole})


def plugin_state(text: str, *providers: dict[str, Any]) -> str:
    """The same deployment through the plugin: a state of the dynamic resources, translated as both faces differ.

    ``providers`` stand in for the default one; a resource that names none has the first.
    """
    whole = json.loads(text.replace(TOKEN_PREFIX, PLUGIN_PREFIX))
    resources = whole["deployment"]["resources"]
    old = next(one for one in resources if one["type"] == "pulumi:providers:pulumi-python")
    config = {name.removeprefix("codat-zoho:"): value for name, value in old["inputs"].items() if "shop:" not in name}
    resources.remove(old)
    new = providers or (plugin_provider("default_0_1_0", version="0.1.0", __internal={}, **config),)
    ours = [one for one in resources if one["type"].startswith(PLUGIN_PREFIX)]
    for one in (*ours, *(it["resource"] for it in whole["deployment"].get("pending_operations", ()))):
        for bag in {"inputs", "outputs"} & {*one}:
            one[bag] = {
                camel_case(name): _camel(value) if name == "declared" else _in_words(value)
                for name, value in one[bag].items()
                if name not in ("__provider", SECRET_ID)
            }
        one.setdefault("provider", f"{new[0]['urn']}::{new[0]['id']}")
    resources += new
    return json.dumps(whole)


def _in_words(value: Any) -> Any:
    """What could not be told names properties too."""
    return [Spelling.PROPERTY.text(one) for one in value] if isinstance(value, list) else value


def plugin_provider(name: str, **inputs: Any) -> dict[str, Any]:
    """A provider of the plugin, beside its resources."""
    type_ = "pulumi:providers:codat-zoho"
    return {"urn": f"urn:pulumi:dev::shop::{type_}::{name}", "type": type_, "id": f"id-of-{name}", "inputs": inputs}


def _camel(declared: Any) -> Any:
    if not isinstance(declared, dict):
        return declared
    if "plaintext" in declared:
        return declared | {"plaintext": json.dumps(_camel(json.loads(declared["plaintext"])))}
    return {camel_case(name): value for name, value in declared.items()}


OTHERS = "somebody-elses-secret-5d1f"


@dataclass
class StandIn:
    """The command in a folder of its own, and projects beside it."""

    root: Path
    projects: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin = self.root / "bin"
        self.bin.mkdir(parents=True)
        (self.bin / "pulumi").write_text(SCRIPT)
        (self.bin / "pulumi").chmod(0o755)

    @property
    def path(self) -> str:
        """For the variable ``PATH``."""
        return f"{self.bin}{os.pathsep}{os.environ['PATH']}"

    @property
    def calls(self) -> list[str]:
        """What was asked of it."""
        return (self.bin / "calls").read_text().splitlines() if (self.bin / "calls").exists() else []

    def environments(self) -> list[str]:
        """The environment of each call."""
        return [path.read_text() for path in self.bin.glob("env.*")]

    def project(self, name: str, states: dict[str, str], selected: str = "") -> Path:
        """Add a project with these stacks; its folder holds ``Pulumi.yaml`` and what the stand-in answers."""
        folder = self.root / name
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
        listed = [{"name": stack, "current": stack == selected} for stack in states]
        (folder / "stacks.json").write_text(json.dumps(listed))
        for stack, text in states.items():
            (folder / f"{stack}.json").write_text(text)
        return folder
