"""Review and ``pulumi up`` never disagree: shown on the real engine and by what the simulator receives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.review.steps import ADOPTED
from codat_zoho.simulator import Simulator, serve
from tests.real_engine import ROOT, SECRET_KEY, Project
from tests.review_cases import Repo
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine
SECOND_KEY = "the-api-key-of-another-client"
Program = dict[str, dict[str, Any]]


class Reviewed:
    """A deployed project in a git repository; each change is reviewed, previewed, deployed and compared."""

    def __init__(self, project: Project, simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
        self.project, self.simulator, self.capsys = project, simulator, capsys
        self.program: Program = {"client": {"client_id": ID, "client_secret": SECRET}, "books": {}}
        self.repo = Repo(project.folder)
        self.repo.write({".gitignore": ".state/\n__pycache__/\n"})
        project.configure(self.program)
        self.repo.commit()
        assert project.up().returncode == 0, project.said[-1]

    def change(self, client: dict[str, Any] | None = None, books: dict[str, Any] | None = None) -> None:
        """Commit a change of the configuration."""
        for kind, values in (("client", client), ("books", books)):
            self.program[kind] |= values or {}
        self.project.configure(self.program)
        self.repo.commit()

    def review(self, stack: str = "test") -> dict[str, Any]:
        """Review the last commit, offline."""
        self.capsys.readouterr()
        arguments = ["--base", "HEAD~1", "--head", "HEAD", "--format", "json", "--fail-on", "never"]
        assert main(["review", "--directory", str(self.project.folder), *arguments]) == 0
        environments = json.loads(self.capsys.readouterr().out)["environments"]
        return next(dict(one) for one in environments if one["stack"] == stack)

    def previewed(self, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the engine's preview says, and what the review says of that."""
        path = self.project.folder / ".state" / "preview.json"
        path.write_text(self.project.must("preview", "--json", *options))
        self.capsys.readouterr()
        main(["review", "--preview", str(path), "--format", "json", "--fail-on", "never"])
        (environment,) = json.loads(self.capsys.readouterr().out)["environments"]
        return json.loads(path.read_text()), dict(environment)

    def received(self) -> list[str]:
        """What Codat and Zoho received since the last look, in the words of the review's steps."""
        said = [
            f"ask {call.path.split('/')[1]}" if call.kind == "probe" else call.detail
            for call in self.simulator.of_kind("probe", "write")
        ]
        self.simulator.forget_calls()
        return said


@pytest.fixture
def reviewed(
    engine: Engine, simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Reviewed]:
    """The repository's own project, deployed and committed."""
    simulator.add_codat_client(SECOND_KEY)
    simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
    simulator.zoho[ID].enabled.add("us")
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        project.environment["CODAT_API_KEY_OTHER"] = SECOND_KEY
        made = Reviewed(project, simulator, capsys)
        simulator.forget_calls()
        yield made


def shown_by_engine(preview: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Every field of this package's resources that the engine's preview shows as different, with both values."""
    found: dict[tuple[str, str], tuple[Any, Any]] = {}
    for step in preview["steps"]:
        if "codat-zoho:" not in step["urn"] or step["op"] not in ("create", "update", "replace", "delete"):
            continue
        old, new = ((step.get(state) or {}).get("inputs") or {} for state in ("oldState", "newState"))
        names = {path.split("[")[0] for path in step["detailedDiff"] or ()}
        if step["op"] in ("create", "delete"):
            names = {*old, *new} - {"__provider"}
        found |= {(step["urn"].rpartition("::")[2], name): (old.get(name), new.get(name)) for name in names}
    return found


def in_words(value: Any) -> str | None:
    """An input as reports show it; None for what is a secret or not set."""
    if isinstance(value, list):
        return ", ".join(sorted(value))
    return None if value in (None, "[secret]") else str(value).lower() if isinstance(value, bool) else str(value)


def agree(environment: dict[str, Any], preview: dict[str, Any], *, rotated: bool = True) -> None:
    """The review's list of field changes is the preview's, with the same values wherever they are known offline."""
    engine = shown_by_engine(preview)
    listed = {(change["resource"], change["field"]): change for change in environment["changes"]}
    really = {key for key, change in listed.items() if change["certain"] or rotated}
    assert set(engine) == really
    for key, (old, new) in engine.items():
        for value, said in ((old, listed[key]["before"]), (new, listed[key]["after"])):
            hidden = "client_secret" in key[1] and not (key[1].endswith("fingerprint") and "not" not in str(said))
            assert hidden or in_words(value) == said, key


def sent(environment: dict[str, Any], *, happens: Callable[[str], bool] = lambda condition: True) -> list[str]:
    """What the review says will be sent, where its conditions come true."""
    said: list[str] = []
    for step in environment["steps"]:
        if step["kind"] == "forget" or (step["condition"] and not happens(step["condition"])):
            continue
        said += [f"ask {code}" for code in step["regions"]] if step["kind"] == "ask" else [step["kind"]]
    return said


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("verify", {"verify": "always"}, {}),
    ("region added", {"regions": ["us", "uk", "eu", "ca"]}, {}),
    ("region dropped", {"regions": ["us", "uk"]}, {}),
    ("verify off", {"verify": "off"}, {}),
    ("verify on", {"verify": "on-change"}, {}),
    ("region added back", {"regions": ["us", "uk", "eu"]}, {}),
    ("disabled", {}, {"enabled": False}),
    ("enabled", {}, {"enabled": True}),
    ("deletion policy", {}, {"on_delete": "keep"}),
    ("disruption allowed", {}, {"allow_disruption": True}),
    ("another client and its secret", {"client_id": OTHER_ID, "client_secret": OTHER_SECRET}, {}),
    ("several at once", {"client_id": ID, "client_secret": SECRET, "regions": ["us"]}, {"enabled": False}),
    ("each data centre its own secret", {"same_credentials_everywhere": False}, {"on_delete": "remove"}),
    ("another Codat client", {}, {"connection": "other", "enabled": True}),
    ("keys not managed", {"client_id": "", "client_secret": ""}, {}),
]


def test_each_change_is_what_the_engine_shows_and_the_simulator_receives(reviewed: Reviewed) -> None:
    """For each deployable change: review, preview, review of the preview and deployment agree, field by field."""
    for name, client, books in CHANGES:
        reviewed.change(client, books)
        environment = reviewed.review()
        preview, of_preview = reviewed.previewed()
        agree(environment, preview)
        listed = {(change["resource"], change["field"]) for change in of_preview["changes"]}
        assert listed == set(shown_by_engine(preview)), name
        assert not reviewed.received(), f"{name}: a review or preview sent something"
        done = reviewed.project.up()
        assert done.returncode == 0, f"{name}: {reviewed.project.said[-1]}"
        received = reviewed.received()
        assert received == sent(environment), name
        assert received == sent(of_preview), name
    reviewed.project.assert_no_secret(SECRET, OTHER_SECRET, API_KEY, SECOND_KEY)


def test_a_rotation_and_a_mere_encryption_look_the_same_offline(reviewed: Reviewed) -> None:
    """The review leaves open what the engine then decides: a rotation is sent, the same secret encrypted anew is not."""
    reviewed.simulator.zoho[ID].secret = OTHER_SECRET
    reviewed.change({"client_secret": OTHER_SECRET})
    rotation = reviewed.review()
    preview, _ = reviewed.previewed()
    agree(rotation, preview, rotated=True)
    assert reviewed.project.up().returncode == 0
    assert reviewed.received() == sent(rotation) == ["ask eu", "ask uk", "ask us", "save keys"]

    reviewed.project.must("config", "set", "--secret", SECRET_KEY, stdin=OTHER_SECRET)
    reviewed.repo.commit()
    again = reviewed.review()
    assert [change["field"] for change in again["changes"]] == [change["field"] for change in rotation["changes"]]
    preview, of_preview = reviewed.previewed()
    agree(again, preview, rotated=False)
    assert not of_preview["changes"]
    assert reviewed.project.up("--expect-no-changes").returncode == 0
    assert reviewed.received() == sent(again, happens=lambda condition: "another one" not in condition) == []


def test_what_is_refused(reviewed: Reviewed) -> None:
    """While companies are linked the change is refused, as the review says; it says how many where it can know."""
    reviewed.simulator.codat[API_KEY].linked = 2
    reviewed.change({}, {"enabled": False})
    environment = reviewed.review()
    assert [step["condition"] for step in environment["steps"]] == ["unless companies are linked: then it is refused"]
    assert reviewed.project.up().returncode != 0
    assert reviewed.received() == []
    assert reviewed.project.run("preview", "--refresh", "--json").returncode != 0

    reviewed.change({}, {"allow_disruption": True})
    _, of_preview = reviewed.previewed("--refresh")
    (disable,) = [finding for finding in of_preview["findings"] if finding["rule"] == "disable"]
    assert "2 companies were linked" in disable["text"]
    assert reviewed.project.up("--refresh").returncode == 0
    assert reviewed.received() == sent(of_preview) == ["disable"]


def test_drift_is_told_apart_from_a_change_of_the_code(reviewed: Reviewed) -> None:
    """Of a refreshed preview: what somebody changed is drift, what the code asks for is a change; up does both."""
    codat = reviewed.simulator.codat[API_KEY]
    codat.integration.enabled = False
    codat.integration.keys["clientSecret"] = OTHER_SECRET
    reviewed.change({}, {"on_delete": "keep"})
    _, environment = reviewed.previewed("--refresh")
    origins = {change["field"]: change["origin"] for change in environment["changes"]}
    assert origins == {"enabled": "drift", "client_secret_fingerprint": "drift", "on_delete": "change"}
    assert [finding["rule"] for finding in environment["findings"]] == ["drift", "drift"]
    alone = reviewed.project.folder / ".state" / "refresh.json"
    alone.write_text(reviewed.project.must("refresh", "--preview-only", "--json"))
    reviewed.capsys.readouterr()
    assert main(["review", "--preview", str(alone)]) == 0
    said = reviewed.capsys.readouterr().out
    assert "enabled was true at the last deployment, now: false." in said
    assert "this refresh did not run the program" in said
    assert "What pulumi up does\n" not in said
    reviewed.received()
    assert reviewed.project.up("--refresh").returncode == 0
    assert reviewed.received() == sent(environment) == ["save keys", "enable"]

    codat.integration.offered = False
    _, environment = reviewed.previewed("--refresh")
    assert {change["origin"] for change in environment["changes"]} == {"drift"}
    codat.integration.offered = True
    codat.integration.keys.clear()
    _, environment = reviewed.previewed("--refresh")
    reviewed.received()
    assert reviewed.project.up("--refresh").returncode == 0
    assert reviewed.received() == sent(environment) == ["save keys"]


def test_a_replacement_that_somebody_asks_for(reviewed: Reviewed) -> None:
    """`--replace` is shown as what it is although no setting differs: Zoho is asked again, Codat stays as it is."""
    urns = (word for word in reviewed.project.must("stack", "--show-urns").split() if "dynamic/codat-zoho" in word)
    options = [word for urn in urns if urn.startswith("urn:") for word in ("--replace", urn)]
    _, of_preview = reviewed.previewed(*options)
    assert (of_preview["verdict"], of_preview["status"], of_preview["changes"]) == ("danger", "changed", [])
    assert [step["text"] for step in of_preview["steps"] if step["kind"] == "forget"] == [
        f"replace {name}: create it anew, then delete the old one" for name in ("zoho-client", "zoho-books")
    ]
    reviewed.received()
    assert reviewed.project.up(*options).returncode == 0, reviewed.project.said[-1]
    assert reviewed.received() == sent(of_preview) == ["ask eu", "ask uk", "ask us"]


def test_an_added_stack_that_is_disabled(reviewed: Reviewed) -> None:
    """The first deployment of a stack disables what Codat has enabled, as the review says."""
    project = reviewed.project
    project.stack, project._secret = "second", None
    project.environment["CODAT_API_KEY"] = SECOND_KEY
    integration = reviewed.simulator.codat[SECOND_KEY].integration
    integration.enabled, integration.keys = True, {"clientId": ID, "clientSecret": SECRET}
    reviewed.program["books"] |= {"enabled": False}
    project.configure(reviewed.program)
    reviewed.repo.commit()
    environment = reviewed.review("second")
    assert "disable" in sent(environment)
    assert environment["dangerous"]
    assert project.up().returncode == 0, project.said[-1]
    assert "disable" in reviewed.received()


def test_a_first_deployment_and_a_destruction(reviewed: Reviewed) -> None:
    """A stack that is added, and its destruction, are reviewed as the engine and the simulator have them."""
    project = reviewed.project
    project.stack, project._secret = "second", None
    project.environment["CODAT_API_KEY"] = SECOND_KEY
    project.configure(reviewed.program)
    reviewed.repo.commit()
    environment = reviewed.review("second")
    preview, _ = reviewed.previewed()
    agree(environment, preview)
    assert project.up().returncode == 0, project.said[-1]
    assert reviewed.received() == sent(environment, happens=lambda condition: condition == ADOPTED)
    path = project.folder / ".state" / "preview.json"
    path.write_text(project.must("destroy", "--preview-only", "--json"))
    reviewed.capsys.readouterr()
    main(["review", "--preview", str(path), "--format", "json"])
    (of_preview,) = json.loads(reviewed.capsys.readouterr().out)["environments"]
    assert of_preview["status"] == "deleted"
    assert project.run("destroy", "--yes", "--skip-preview").returncode == 0
    assert reviewed.received() == sent(of_preview) == ["disable", "delete keys"]


def test_a_failed_preview_is_no_review(reviewed: Reviewed, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview that failed, or is none, is an error that names the file."""
    project = reviewed.project
    path = project.folder / "Pulumi.test.yaml"
    path.write_text(f"{path.read_text()}  codat-zoho:regions: [us, gb]\n")
    preview = project.folder / ".state" / "preview.json"
    preview.write_text(project.run("preview", "--json").stdout)
    assert main(["review", "--preview", str(preview)]) == 1
    assert str(preview) in capsys.readouterr().out
    preview.write_text("error: no stack selected")
    assert main(["review", "--preview", str(preview)]) == 1
    assert "is no output of `pulumi preview --json`" in capsys.readouterr().out
