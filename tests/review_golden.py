"""Kinds of change in whole repositories, each with a golden file: what a review says of it, to the letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.real_engine import ROOT
from tests.review_cases import Repo
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET

PROJECT = (ROOT / "Pulumi.yaml").read_text()
SALT = "v1:y9Rn2hQ6nXc=:v1:7dGk0aVb1cPz:Q0mJm2pXK0bq"
OTHER_SALT = "v1:Zk3pW8sYt1M=:v1:Lq5rT9uVw2xY:b7NcD4eF6gHi"
CIPHER = "v1:q8WcV0s3mG4y1b6K:ZmFrZSBjaXBoZXJ0ZXh0IG9uZSBmb3IgdGVzdHM="
OTHER_CIPHER = "v1:n2XdU7r5kJ9z0a4P:ZmFrZSBjaXBoZXJ0ZXh0IHR3byBmb3IgdGVzdHM="
BILLING = "name: billing\nruntime: python\n"
STACK = f"""\
encryptionsalt: {SALT}
config:
  codat-zoho:zohoClientId: {ID}
  codat-zoho:zohoClientSecret:
    secure: {CIPHER}
  codat-zoho:enabled: true
  codat-zoho:regions: [us, uk, eu]
  codat-zoho:onDelete: disable
"""
BASE = {"Pulumi.yaml": PROJECT, "Pulumi.prod.yaml": STACK}


def edited(*edits: tuple[str, str], of: str = STACK) -> str:
    """A stack file with some texts replaced."""
    for old, new in edits:
        assert old in of, old
        of = of.replace(old, new)
    return of


def on_prod(*edits: tuple[str, str]) -> dict[str, str | bytes | None]:
    """The change of the stack file ``prod`` that replaces some texts."""
    return {"Pulumi.prod.yaml": edited(*edits)}


@dataclass(frozen=True)
class Case:
    """A kind of change: what is committed on the main branch, and on the branch that is reviewed.

    Args:
        name: names the golden files.
        change: the files that the branch changes.
        exit: the exit code with ``--fail-on danger``.
        base: the files of the main branch.
        before: more to do on the branch before it is reviewed.
        later: files that the main branch changes after the branch has left it.
    """

    name: str
    change: Mapping[str, str | bytes | None]
    exit: int = 0
    base: Mapping[str, str | bytes | None] = field(default_factory=lambda: BASE)
    before: Callable[[Repo], object] | None = None
    later: Mapping[str, str | bytes | None] = field(default_factory=dict)

    def build(self, folder: Path) -> Repo:
        """Make the repository; the branch is checked out."""
        repo = Repo(folder)
        repo.commit(self.base)
        repo.git("switch", "--quiet", "--create", "change")
        if self.before:
            self.before(repo)
        repo.commit(self.change)
        if self.later:
            repo.git("switch", "--quiet", "main")
            repo.commit(self.later)
            repo.git("switch", "--quiet", "change")
        return repo


_ENABLED, _REGIONS = "enabled: true", "[us, uk, eu]"
_SECURE = f"\n    secure: {CIPHER}"
_IN_BILLING = STACK.replace(_ENABLED, "enabled: false")
_STAGE = edited((ID, OTHER_ID), (CIPHER, OTHER_CIPHER))
_FOREIGN = f"""\
config:
  billing:plan: gold
  codat-zoho:zohoClientId: {ID}
  codat-zoho:zohoClientSecret:
    secure: {CIPHER}
  codat-zoho:regions: '["us", "uk"]'
"""
_PLAIN = BASE | on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:allowDisruption: false\n  codat-zoho:connection: live"))
_OWN = "import codat_zoho as cz\n\ncz.ZohoBooksIntegration('zoho-books', enabled=True)\n"
_BILLING = {
    "billing/Pulumi.yaml": BILLING,
    "billing/Pulumi.prod.yaml": "config:\n  billing:plan: gold\n",
    "billing/app.py": _OWN,
    "shared/zoho.py": _OWN,
}
_YAML = f"""\
name: shop
runtime: yaml
config:
  linking: {{type: boolean, default: true}}
resources:
  bucket:
    type: aws:s3:Bucket
  client:
    type: codat-zoho:index:ZohoClientCredentials
    properties:
      clientId: {ID}
      clientSecret: ${{shop:zohoClientSecret}}
      regions: [us, uk]
  books:
    type: codat-zoho:index:ZohoBooksIntegration
    properties:
      clientId: ${{client.clientId}}
      clientSecret: ${{client.clientSecret}}
      enabled: ${{linking}}
    options: {{protect: true}}
"""
_SHOP = {
    "Pulumi.yaml": _YAML,
    "Pulumi.prod.yaml": f"encryptionsalt: {SALT}\nconfig:\n  shop:zohoClientSecret: {{secure: '{CIPHER}'}}\n",
}
_RENAMED = STACK.replace("codat-zoho:", "zoho:")


def _encrypted(key: str, value: str) -> dict[str, str | bytes | None]:
    """The change that encrypts what is no secret."""
    written = (f"codat-zoho:{key}: {value}", f"codat-zoho:{key}: {{secure: {OTHER_CIPHER}}}")
    return {"Pulumi.prod.yaml": edited(written, of=str(_PLAIN["Pulumi.prod.yaml"]))}


CASES = (
    Case("disabled", on_prod((_ENABLED, "enabled: false")), 7),
    Case("enabled", on_prod(), 0, BASE | on_prod((_ENABLED, "enabled: false"))),
    Case("client-id", on_prod((ID, OTHER_ID)), 7),
    Case("secret", on_prod((CIPHER, OTHER_CIPHER))),
    Case("region-dropped", on_prod((_REGIONS, "[us, eu]")), 7),
    Case("region-added", on_prod((_REGIONS, "[us, uk, eu, au]"))),
    Case("one-region-own-secret", on_prod((_REGIONS, "[us]\n  codat-zoho:sameCredentialsEverywhere: false")), 7),
    Case("verify-off", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:verify: off"))),
    Case("connection", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:connection: uk-live")), 7),
    Case("on-delete-loosened", on_prod(("onDelete: disable", "onDelete: remove")), 7),
    Case("on-delete-tightened", on_prod(("onDelete: disable", "onDelete: keep"))),
    Case("disruption-allowed", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:allowDisruption: true")), 7),
    Case(
        "several",
        on_prod(
            (_ENABLED, 'enabled: "false"\n  codat-zoho:allowDisruption: true'),
            (_REGIONS, "[us, eu, au]"),
            (ID, OTHER_ID),
            (CIPHER, OTHER_CIPHER),
        ),
        7,
    ),
    Case("keys-unmanaged", on_prod((ID, '""'))),
    Case("stack-renamed", {"Pulumi.prod.yaml": None, "Pulumi.live.yaml": edited((_REGIONS, "[us, uk, eu, ca]"))}),
    Case("stack-added", {"Pulumi.stage.yaml": _STAGE}),
    Case("stack-deleted", {"Pulumi.stage.yaml": None}, 7, BASE | {"Pulumi.stage.yaml": _STAGE}),
    Case("broken-head", on_prod((_REGIONS, "[us, uk, eu")), 1),
    Case("broken-base", on_prod(), 1, BASE | on_prod((_REGIONS, "[us, uk, eu"))),
    Case("rule-broken", on_prod((_REGIONS, "[us, gb]"), (_ENABLED, "enabled: yes")), 1),
    Case("setting-missing", on_prod((f"  codat-zoho:zohoClientId: {ID}\n", "")), 1),
    Case(
        "merge-base-elsewhere",
        {"Pulumi.stage.yaml": edited((_ENABLED, "enabled: false"), of=_STAGE)},
        7,
        BASE | {"Pulumi.stage.yaml": _STAGE},
        later=on_prod((_REGIONS, "[us]")),
    ),
    Case("mode-only", {}, before=lambda repo: (repo.folder / "Pulumi.prod.yaml").chmod(0o755)),
    Case("line-endings", {"Pulumi.prod.yaml": STACK.replace("\n", "\r\n").encode()}),
    Case("comment-and-order", {"Pulumi.prod.yaml": f"# Production.\n{STACK.replace(_REGIONS, '[eu, us, uk]')}"}),
    Case(
        "another-project",
        {"billing/Pulumi.prod.yaml": "config:\n  billing:plan: silver\n"},
        0,
        BASE | {"billing/Pulumi.yaml": BILLING, "billing/Pulumi.prod.yaml": "config:\n  billing:plan: gold\n"},
    ),
    Case("secret-in-clear", on_prod((_SECURE, f" {SECRET}")), 7),
    Case("secret-was-in-clear", on_prod(), 0, BASE | on_prod((_SECURE, f" {OTHER_SECRET}"))),
    Case("api-key-in-clear", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:apiKey: an-api-key-in-clear")), 7),
    Case("encrypted-anew", on_prod((SALT, OTHER_SALT), (CIPHER, OTHER_CIPHER))),
    Case("undecryptable", on_prod((SALT, OTHER_SALT)), 7),
    Case(
        "same-client-twice",
        {"Pulumi.stage.yaml": edited((OTHER_ID, ID), of=_STAGE)},
        7,
        BASE | {"Pulumi.stage.yaml": _STAGE},
    ),
    Case(
        "default-changed",
        {"Pulumi.yaml": PROJECT.replace("default: on-change", "default: always")},
        0,
        BASE | {"Pulumi.stage.yaml": edited((_ENABLED, f"{_ENABLED}\n  codat-zoho:verify: on-change"), of=_STAGE)},
    ),
    Case("address-changed", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:codatUrl: https://codat.example.net")), 7),
    Case("typing-error", on_prod((_ENABLED, f"{_ENABLED}\n  codat-zoho:enable: false"))),
    Case(
        "environment-import",
        on_prod((_ENABLED, "verify: always"), ("config:", "environment: [zoho-live]\nconfig:")),
        7,
        BASE | on_prod((_ENABLED, "verify: always"), ("config:", "environment: [zoho]\nconfig:")),
    ),
    Case(
        "program-of-its-own",
        {"billing/Pulumi.prod.yaml": _FOREIGN.replace(', "uk"', ""), "billing/__main__.py": "import pulumi\n"},
        7,
        {"billing/Pulumi.yaml": BILLING, "billing/Pulumi.prod.yaml": _FOREIGN},
    ),
    Case(
        "project-moved",
        {"Pulumi.yaml": None, "Pulumi.prod.yaml": None, "zoho/Pulumi.yaml": PROJECT, "zoho/Pulumi.prod.yaml": STACK},
    ),
    Case(
        "project-renamed-with-settings",
        {
            "Pulumi.yaml": PROJECT.replace("name: codat-zoho", "name: zoho", 1),
            "Pulumi.prod.yaml": STACK.replace("codat-zoho:", "zoho:"),
        },
        7,
    ),
    Case("program-only", {"__main__.py": "import pulumi\n", "docs/notes.md": "# Notes\n"}),
    Case("project-renamed", {"Pulumi.yaml": PROJECT.replace("name: codat-zoho", "name: zoho", 1)}, 1),
    Case("encrypted-enabled", _encrypted("enabled", "true"), 7, _PLAIN),
    Case("encrypted-permission", _encrypted("allowDisruption", "false"), 7, _PLAIN),
    Case("encrypted-connection", _encrypted("connection", "live"), 7, _PLAIN),
    Case("encrypted-client-id", _encrypted("zohoClientId", ID), 7, _PLAIN),
    Case("stack-added-disabled", {"Pulumi.stage.yaml": edited((_ENABLED, "enabled: false"), of=_STAGE)}, 7),
    Case("another-main", {"Pulumi.yaml": f"{PROJECT}main: other\n"}, 7),
    Case("another-python", {"Pulumi.yaml": PROJECT.replace("virtualenv: .venv", "virtualenv: other")}, 7),
    Case("another-backend", {"Pulumi.yaml": f"{PROJECT}backend: {{url: file:///tmp}}\n"}, 7),
    Case("own-program", {"billing/app.py": _OWN.replace("True", "False")}, 0, _BILLING),
    Case("own-program-elsewhere", {"billing/values.json": "{}", "shared/zoho.py": "# Nothing.\n"}, 0, _BILLING),
    Case(
        "misspelt-under-another-name",
        {"Pulumi.prod.yaml": edited((_ENABLED, "enable: false"), ("regions", "regoins"), of=_RENAMED)},
        0,
        {"Pulumi.yaml": PROJECT.replace("name: codat-zoho", "name: zoho", 1), "Pulumi.prod.yaml": _RENAMED},
    ),
    Case(
        "secrets-anywhere",
        {
            "Pulumi.yaml": f"# {OTHER_SECRET}\n{PROJECT}",
            "Pulumi.prod.yaml": f"{STACK}  shop:note: was {SECRET}, until May\n  shop:zohoClientSecret: an-api-key-in-clear\n"
            f"# 1000.{SECRET[:32]}.{OTHER_SECRET[:32]}\nunread: [{SECRET[::-1]}]\n",
        },
        7,
    ),
    Case("yaml-several", {"Pulumi.yaml": edited(("default: true", "default: false"), ("[us, uk]", "[us]"), (
        "    options: {protect: true}\n", "      allowDisruption: true\n"), of=_YAML)}, 7, _SHOP),
    Case("yaml-renamed-and-hidden", {"Pulumi.yaml": edited(("  books:", "  integration:"), (
        "${linking}", "${bucket.public}"), of=_YAML)}, 7, _SHOP),
    Case("yaml-unread", {"Pulumi.yaml": edited(("    options:", "    Options:"), of=_YAML)}, 1, _SHOP),
    Case("yaml-elsewhere", {"Pulumi.yaml": edited(("s3:Bucket", "s3:BucketV2"), of=_YAML), "site/index.html": ""}, 0, _SHOP),
)  # fmt: skip
