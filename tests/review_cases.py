"""A git repository, and the kinds of change that a review is tested with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.real_engine import ROOT
from tests.support import ID, OTHER_ID

PROJECT = (ROOT / "Pulumi.yaml").read_text()
STACK = f"""\
encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:Y2hlY2s=
config:
  codat-zoho:zohoClientId: {ID}
  codat-zoho:zohoClientSecret:
    secure: v1:Zmlyc3Q=:c2VjcmV0
  codat-zoho:regions: [us, uk, eu]
  codat-zoho:enabled: true
"""
PROD = "Pulumi.prod.yaml"


class Repo:
    """A repository made for a test, without any setting of this machine's git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git."""
        environment = {
            **os.environ,
            **{
                f"GIT_{who}_{what}": "test@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
            },
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files; None removes one."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Commit everything, and return the commit."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD").strip()


def swap(old: str, new: str) -> Callable[[Repo], None]:
    """Change the stack file of production."""

    def act(repo: Repo) -> None:
        text = (repo.folder / PROD).read_bytes().decode()
        assert old in text
        repo.write({PROD: text.replace(old, new)})

    return act


def add(*lines: str) -> Callable[[Repo], None]:
    """Add settings to the stack file of production."""
    return lambda repo: repo.write({PROD: (repo.folder / PROD).read_text() + "".join(f"  {one}\n" for one in lines)})


@dataclass(frozen=True)
class Case:
    """A kind of change and what must be said of it.

    Args:
        name: what it is.
        act: makes it in a repository that is as ``STACK`` says.
        changes: resource, field, before, after, in the order of the report.
        steps: what pulumi up does.
        findings: level and rule.
        exit: the exit code of ``--fail-on danger``.
        verdict: the headline's word.
        says: what else is in the text.
        base: further settings of the side before.
    """

    name: str
    act: Callable[[Repo], None]
    changes: tuple[tuple[str, str, str | None, str | None], ...] = ()
    steps: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    exit: int = 0
    verdict: str = "changed"
    says: tuple[str, ...] = ()
    base: tuple[str, ...] = field(default=())


_UNLESS_LINKED = "unless companies are linked: then it is refused"
_BOTH = ("zoho-client", "zoho-books")
_SECRET = tuple(
    (resource, name, before, after)
    for resource in _BOTH
    for name, before, after in (
        ("client_secret", "encrypted", "encrypted anew"),
        ("client_secret_fingerprint", "not known while encrypted", "not known while encrypted"),
    )
)
_NEW_ID = tuple(
    change
    for resource in _BOTH
    for change in (
        (resource, "client_id", ID, OTHER_ID),
        (resource, "client_secret_fingerprint", "not known while encrypted", "another one, not known while encrypted"),
    )
)
_ASK_ALL = "ask Zoho's data centres eu, uk, us whether they accept the client"
_IF = "if the encrypted secret is another one"

CASES = (
    Case(
        "disabled",
        swap("enabled: true", "enabled: false"),
        (("zoho-books", "enabled", "true", "false"),),
        (f"disable the integration in Codat, {_UNLESS_LINKED}",),
        ("danger disable",),
        7,
        "danger",
        ("[line 7]", "How many companies are linked"),
    ),
    Case(
        "client id",
        swap(ID, OTHER_ID),
        _NEW_ID,
        (_ASK_ALL, f"save keys in Codat, {_UNLESS_LINKED}"),
        ("danger client-id-changed",),
        7,
        "danger",
        ("whether linked companies have to link Zoho Books again", "is among the authorized redirect URIs"),
    ),
    Case(
        "secret encrypted anew",
        swap("Zmlyc3Q=:c2VjcmV0", "c2Vjb25k:c2VjcmV0"),
        _SECRET,
        (f"{_ASK_ALL}, {_IF}", f"save keys in Codat, {_IF}"),
        ("caution secret-changed",),
        says=("If it is a rotation:", "nothing is decrypted here", "whether it differs cannot be known"),
    ),
    Case(
        "region dropped",
        swap("[us, uk, eu]", "[us, uk]"),
        (("zoho-client", "regions", "eu, uk, us", "uk, us"),),
        (),
        ("danger region-dropped",),
        7,
        "danger",
        ("eu is dropped", "[line 6]"),
    ),
    Case(
        "region added",
        swap("[us, uk, eu]", "[us, uk, eu, au]"),
        (("zoho-client", "regions", "eu, uk, us", "au, eu, uk, us"),),
        ("ask Zoho's data centre au whether it accepts the client",),
        ("caution supported-regions",),
        says=("and these are enabled: au, eu, uk, us",),
    ),
    Case("regions in another order", swap("[us, uk, eu]", "[eu, us, uk]"), verdict="unchanged"),
    Case(
        "one region with secrets of its own",
        swap("[us, uk, eu]", "[us]\n  codat-zoho:sameCredentialsEverywhere: false"),
        (
            ("zoho-client", "regions", "eu, uk, us", "us"),
            ("zoho-client", "same_credentials_everywhere", "true", "false"),
        ),
        (),
        ("danger region-dropped",),
        7,
        "danger",
        ("is off.",),
    ),
    Case(
        "verification off",
        add('codat-zoho:verify: "off"'),
        (("zoho-client", "verify", "on-change", "off"),),
        (),
        ("caution verification-on",),
    ),
    Case(
        "another connection",
        add("codat-zoho:connection: second"),
        (("zoho-books", "connection", "default", "second"),),
        (
            "save keys in Codat, unless Codat holds the same already",
            "enable the integration in Codat, unless Codat holds the same already",
            f"disable the integration in Codat, {_UNLESS_LINKED}",
            f"delete keys in Codat, {_UNLESS_LINKED}",
        ),
        ("danger connection-changed",),
        7,
        "danger",
        ("CODAT_API_KEY_SECOND",),
    ),
    Case(
        "deletion policy loosened",
        swap("codat-zoho:onDelete: keep", "codat-zoho:onDelete: remove"),
        (("zoho-books", "on_delete", "keep", "remove"),),
        (),
        ("danger deletion-policy",),
        7,
        "danger",
        base=("codat-zoho:onDelete: keep",),
    ),
    Case(
        "deletion policy tightened",
        add("codat-zoho:onDelete: keep"),
        (("zoho-books", "on_delete", "remove", "keep"),),
    ),
    Case(
        "disruption allowed",
        add("codat-zoho:allowDisruption: true"),
        (("zoho-books", "allow_disruption", "false", "true"),),
        (),
        ("danger linked-company-guard",),
        7,
        "danger",
    ),
    Case(
        "several at once",
        lambda repo: (
            swap("enabled: true", "enabled: false\n  codat-zoho:allowDisruption: true")(repo),
            swap("[us, uk, eu]", "[us, eu]")(repo),
        )[0],
        (
            ("zoho-client", "regions", "eu, uk, us", "eu, us"),
            ("zoho-books", "enabled", "true", "false"),
            ("zoho-books", "allow_disruption", "false", "true"),
        ),
        ("disable the integration in Codat",),
        ("danger linked-company-guard", "danger disable", "danger region-dropped"),
        7,
        "danger",
        ("it goes through however many companies are linked",),
    ),
    Case(
        "a secret in clear",
        swap(":\n    secure: v1:Zmlyc3Q=:c2VjcmV0", ": 3f1a9c04e7b25d68013f9a7c4e2b8d5601f37ac9e4"),
        tuple(
            (resource, name, before, after)
            for resource in _BOTH
            for name, before, after in (
                ("client_secret", "encrypted", "in clear"),
                ("client_secret_fingerprint", "not known while encrypted", "dc47e2171f8e7078"),
            )
        ),
        (f"{_ASK_ALL}, {_IF}", f"save keys in Codat, {_IF}"),
        ("danger secret-in-clear", "caution secret-changed"),
        7,
        "danger",
        ("pulumi config set --secret codat-zoho:zohoClientSecret", "[line 4]"),
    ),
    Case(
        "an API key in clear",
        add("codat-zoho:apiKey: test-api-key-7f3a"),
        (("provider", "apiKey", None, "in clear"),),
        (),
        ("danger secret-in-clear", "caution api-key-changed"),
        7,
        "danger",
    ),
    Case(
        "another encryption salt",
        swap("encryptionsalt: v1:c2FsdA==", "encryptionsalt: v1:b3RoZXI="),
        (),
        (),
        ("danger undecryptable",),
        7,
        "danger",
        ("1 encrypted value stays as before",),
    ),
    Case(
        "stack renamed",
        lambda repo: repo.write({PROD: None, "Pulumi.production.yaml": STACK}),
        (),
        (),
        ("caution stack-renamed",),
        0,
        "renamed",
        ("pulumi stack rename production --stack prod",),
    ),
    Case(
        "stack deleted",
        lambda repo: repo.write({PROD: None}),
        (),
        (),
        ("danger stack-deleted",),
        7,
        "danger",
        ("neither updated nor destroyed",),
    ),
    Case(
        "broken YAML",
        swap("[us, uk, eu]", "[us, uk"),
        (),
        (),
        (),
        1,
        "broken",
        ("head: Pulumi.prod.yaml:7: is not valid YAML",),
    ),
    Case(
        "a value that breaks a rule",
        swap("[us, uk, eu]", "[us, gb]"),
        (),
        (),
        (),
        1,
        "broken",
        ("head: Pulumi.prod.yaml:6: codat-zoho:regions 'gb' is not a Zoho data centre, did you mean 'uk'",),
    ),
    Case(
        "file mode only",
        lambda repo: (repo.folder / PROD).chmod(0o755),
        verdict="unchanged",
        says=("its files differ, no setting does",),
    ),
    Case("line ends only", swap("\n", "\r\n"), verdict="unchanged", says=("its files differ, no setting does",)),
    Case("a comment", add("# nothing"), verdict="unchanged", says=("its files differ, no setting does",)),
    Case(
        "a default of the project",
        lambda repo: repo.write({"Pulumi.yaml": PROJECT.replace("default: on-change", "default: always")}),
        (("zoho-client", "verify", "on-change", "always"),),
        (_ASK_ALL,),
        says=("[Pulumi.yaml:",),
    ),
    Case(
        "a stack of another project",
        lambda repo: repo.write(
            {
                "other/Pulumi.yaml": "name: other\nruntime: nodejs\n",
                "other/Pulumi.prod.yaml": "config:\n  aws:region: eu-west-1\n",
            }
        ),
        verdict="unchanged",
        says=("Skipped: 1 without settings of codat-zoho, of programs that do not name it.",),
    ),
    Case(
        "a misspelt setting",
        add("codat-zoho:enabeld: false"),
        (),
        (),
        ("caution unknown-setting",),
        verdict="unchanged",
        says=("Is enabled meant?",),
    ),
)
