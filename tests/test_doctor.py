"""``codat-zoho doctor`` finds what is wrong: each broken set-up is made, and its line and exit code looked at."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codat_zoho import REDIRECT_URI
from codat_zoho._version import __version__
from codat_zoho.cli import main
from codat_zoho.declare.platform import SECRET as _SEALED
from codat_zoho.declare.platform import SIGNATURE, TOKEN_PREFIX
from codat_zoho.declare.rules import fingerprint
from codat_zoho.link.record import FILE, LinkTest
from codat_zoho.link.record import text as record_of
from codat_zoho.simulator import Fault, Simulator, serve
from tests.pulumi_stand_in import books, plugin_provider, plugin_state, secret, state
from tests.real_engine import ROOT
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys

_CLI = """#!{python}
import json, os, sys
arguments = [one for one in sys.argv[1:] if one != "--non-interactive"]
config = json.loads(os.environ["FAKE_CONFIG"])
if arguments[0] == "version":
    print("v" + os.environ.get("FAKE_VERSION", "3.259.0"))
elif arguments[0] == "whoami" and os.environ.get("FAKE_BACKEND"):
    sys.exit("error: " + os.environ["FAKE_BACKEND"])
elif arguments[0] == "whoami":
    print(json.dumps({{"user": "somebody", "url": "file:///state"}}))
elif arguments[:2] == ["stack", "ls"]:
    print(json.dumps([{{"name": "test", "current": True}}]))
elif arguments[0] == "config":
    if os.environ.get("FAKE_LOCKED"):
        sys.exit("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE")
    print(json.dumps(config))
elif arguments[:2] == ["package", "get-schema"]:
    if os.environ["FAKE_PLUGIN"] == "broken":
        sys.exit("error: could not start it: No module named grpc")
    print(json.dumps({{"version": os.environ["FAKE_PLUGIN"]}}))
elif arguments[:2] == ["stack", "export"]:
    print(os.environ.get("FAKE_STATE") or json.dumps({{"version": 3, "deployment": {{}}}}))
else:
    sys.exit("error: not expected here: " + " ".join(arguments))
"""


@dataclass
class SetUp:
    """A healthy set-up around a stand-in for the pulumi command; tests break it."""

    folder: Path
    simulator: Simulator
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    config: dict[str, dict[str, object]] = field(default_factory=dict)

    def environment(self, **values: str) -> None:
        for name, value in values.items():
            self.monkeypatch.setenv(name, value) if value else self.monkeypatch.delenv(name, raising=False)

    def option(self, old: str, new: str) -> None:
        file = self.folder / "Pulumi.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def proved(self, codat_client: str, outcome: str = "linked", secret: str = SECRET) -> None:
        """Record a test of the link."""
        test = LinkTest("2026-11-02T09:00:00Z", "default", outcome, None, codat_client, fingerprint(ID, secret), "eu")
        (self.folder / FILE).write_text(record_of([], test))

    def doctor(self, *arguments: str) -> tuple[int, dict[str, list[dict[str, str]]], str]:
        """Return the exit code, the findings by topic, and all that was printed."""
        self.environment(FAKE_CONFIG=json.dumps(self.config))
        code = main(["doctor", "--cwd", str(self.folder), "--format", "json", *arguments])
        said = self.capsys.readouterr()
        found: dict[str, list[dict[str, str]]] = {}
        for one in json.loads(said.out)["checks"]:
            found.setdefault(one["topic"], []).append(one)
        text = said.out + said.err
        assert API_KEY not in text and SECRET not in text
        return code, found, text


@pytest.fixture
def setup(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[SetUp]:
    """Everything in order: project, virtual environment, stack, key, integration."""
    folder, binaries = tmp_path / "project", tmp_path / "bin"
    folder.mkdir()
    binaries.mkdir()
    venv = Path(sys.executable).parent.parent
    (folder / "Pulumi.yaml").write_text(
        (ROOT / "Pulumi.yaml").read_text().replace("virtualenv: .venv", f"virtualenv: {venv}")
    )
    (binaries / "pulumi").write_text(_CLI.format(python=sys.executable))
    (binaries / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    with serve(simulator) as base:
        made = SetUp(folder, simulator, monkeypatch, capsys)
        made.environment(CODAT_API_KEY=API_KEY, CODAT_URL=f"{base}/codat", ZOHO_URL=f"{base}/zoho")
        made.config = {
            "codat-zoho:zohoClientId": {"value": ID, "secret": False},
            "codat-zoho:zohoClientSecret": {"value": SECRET, "secret": True},
            "codat-zoho:enabled": {"value": "true", "secret": False},
        }
        made.proved(client.id)
        yield made


def test_all_calls_have_one_deadline(setup: SetUp) -> None:
    """Hosts that are slow do not add up: once the time is over, each that is left is told of."""
    setup.monkeypatch.setattr("codat_zoho.doctor.command.SECONDS", 0.0)
    code, found, _ = setup.doctor()
    assert code == 1 and found["Codat reachable"][0]["verdict"] == "fail"
    for topic in ("Codat reachable", "Zoho hosts"):
        assert "the 0 s for the whole operation are used up" in found[topic][0]["what"]


def test_a_healthy_set_up_is_all_ok(setup: SetUp) -> None:
    """Nothing warns or fails, exit 0, nothing is written and Zoho is not probed."""
    code, found, text = setup.doctor()
    assert code == 0, text
    assert {one["verdict"] for ones in found.values() for one in ones} == {"ok"}, text
    assert not setup.simulator.writes and not setup.simulator.probes


def test_the_screen_fits_and_says_the_same(setup: SetUp) -> None:
    """The text has a line per check, no secret, and a sum."""
    setup.environment(FAKE_CONFIG=json.dumps(setup.config))
    assert main(["doctor", "--cwd", str(setup.folder)]) == 0
    said = setup.capsys.readouterr().out
    assert "Everything is in order" in said and "from CODAT_API_KEY" in said
    assert API_KEY not in said and SECRET not in said


def test_whether_a_link_was_proved_with_the_keys_of_today(setup: SetUp) -> None:
    """Proved, changed since, never, failed since, a record that cannot be read: and never an assurance beside a doubt."""
    client = setup.simulator.codat[API_KEY].id

    def said() -> tuple[str, str]:
        code, found, _ = setup.doctor()
        assert code == 0
        (one,) = found["customer link"]
        assert one["verdict"] == "ok" or one["next_step"]
        return one["verdict"], one["what"]

    proved = "proved by a link with these keys (2026-11-02T09:00:00Z, data centre eu)"
    assert said() == ("ok", f"{proved}; other data centres are as good as Zoho's verdict")
    setup.proved(client, secret=OTHER_SECRET)
    assert said()[0] == "warn" and "the keys changed since a link was last proved" in said()[1]
    setup.proved(client, "nobody came")
    assert said()[0] == "warn" and "never proved" in said()[1] and "ended with: nobody came" in said()[1]
    setup.proved("another-client-0001")
    assert said() == ("warn", "never proved that a customer can link.")
    (setup.folder / FILE).unlink()
    assert said() == ("warn", "never proved that a customer can link.")
    (setup.folder / FILE).write_text("{}")
    assert said()[0] == "warn" and "cannot be read" in said()[1]
    setup.simulator.codat[API_KEY].integration.enabled = False
    assert "customer link" not in setup.doctor()[1]


def test_an_unknown_stack_is_one_failure(setup: SetUp) -> None:
    """A mistyped --stack is said once, with the stacks that there are, and the other checks go on."""
    code, found, text = setup.doctor("--stack", "tset")
    assert code == 1
    assert "there are: test" in found["stack"][0]["what"]
    assert sum(one["verdict"] == "fail" for ones in found.values() for one in ones) == 1, text
    assert found["API key accepted"][0]["verdict"] == "ok"


def test_zoho_is_probed_only_when_asked(setup: SetUp) -> None:
    """--verify asks each declared data centre once, and a no fails with the switch to turn."""
    code, found, text = setup.doctor("--verify")
    (accepted,) = found["Zoho client"]
    assert REDIRECT_URI in found["Zoho redirect URI"][0]["what"]
    assert code == 0 and accepted["verdict"] == "ok"
    assert "eu, uk, us; this does not prove that customers can link" in accepted["what"] and "invalid_code" not in text
    assert len(setup.simulator.probes) == 3
    setup.simulator.zoho[ID].enabled.discard("uk")
    code, found, _ = setup.doctor("--verify")
    assert code == 1 and "enable uk" in found["Zoho client"][0]["next_step"]


@pytest.mark.parametrize(
    ("address", "said", "step"),
    [
        ("https://api.pulumi.com", "PULUMI_ACCESS_TOKEN must be set", "pulumi login"),
        ("", 'pq: password authentication failed for user "state"', "PGPASSWORD"),
        ("postgres://state@db/pulumi", "dial tcp: connection refused", "PGUSER"),
        ("s3://state", "operation error S3: GetObject, api error InvalidAccessKeyId", "AWS_PROFILE"),
        ("gs://state", "google: could not find default credentials", "gcloud auth"),
        ("azblob://state", "DefaultAzureCredential: failed to acquire a token", "az login"),
        ("file:///gone", "no such file or directory", "a folder that is there"),
    ],
)
def test_what_to_do_fits_the_backend(setup: SetUp, address: str, said: str, step: str) -> None:
    """Nobody logs in to a bucket with `pulumi login`."""
    setup.environment(FAKE_BACKEND=said, PULUMI_BACKEND_URL=address)
    code, found, _ = setup.doctor()
    (one,) = found["backend"]
    assert code == 1 and one["verdict"] == "fail" and step in one["next_step"] and said in one["what"]


# --- broken set-ups ---------------------------------------------------------------------------------------------------


def _no_pulumi(setup: SetUp) -> None:
    setup.environment(PATH=str(Path(sys.executable).parent))


def _old_pulumi(setup: SetUp) -> None:
    setup.environment(FAKE_VERSION="3.200.0")


def _rather_old_pulumi(setup: SetUp) -> None:
    setup.environment(FAKE_VERSION="3.240.0")


def _wrong_virtualenv(setup: SetUp) -> None:
    setup.option(f"virtualenv: {Path(sys.executable).parent.parent}", "virtualenv: .no-such-folder")


def _bare_virtualenv(setup: SetUp) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(setup.folder / ".bare")], check=True)
    setup.option(f"virtualenv: {Path(sys.executable).parent.parent}", "virtualenv: .bare")


def _no_virtualenv(setup: SetUp) -> None:
    setup.option(f"    virtualenv: {Path(sys.executable).parent.parent}\n", "")
    setup.environment(PULUMI_PYTHON_CMD=sys.executable)


def _programs_other_python(setup: SetUp) -> None:
    setup.option(f"    virtualenv: {Path(sys.executable).parent.parent}\n", "")
    setup.option("toolchain: pip", "toolchain: uv")
    (setup.folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    other = setup.folder / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(other)], check=True)
    setup.environment(UV_PROJECT_ENVIRONMENT=str(other))


def _yaml(setup: SetUp, folder: str = "", version: str = "", *, empty: bool = False) -> None:
    """A YAML program, and in a folder beside it what stands in for the plugin."""
    here = setup.folder / "plugin"
    here.mkdir()
    if not empty:
        (here / "pulumi-resource-codat-zoho").write_text("")
        (here / "pulumi-resource-codat-zoho").chmod(0o755)
    named = f"plugins: {{providers: [{{name: codat-zoho, path: {folder}}}]}}\n" if folder else ""
    (setup.folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: yaml\n{named}")
    setup.environment(FAKE_PLUGIN=version or __version__)
    # None that is installed in the environment of these tests counts.
    setup.environment(PATH=f"{setup.folder.parent / 'bin'}{os.pathsep}/usr/bin", PULUMI_HOME=str(setup.folder))


def _no_plugin(setup: SetUp) -> None:
    _yaml(setup)


def _plugin_folder(setup: SetUp) -> None:
    _yaml(setup, "plugin", empty=True)


def _plugin_broken(setup: SetUp) -> None:
    _yaml(setup, "plugin", "broken")


def _plugin_on_path(setup: SetUp) -> None:
    _yaml(setup)
    setup.environment(PATH=f"{setup.folder / 'plugin'}{os.pathsep}{os.environ['PATH']}")


def _plugin_older(setup: SetUp) -> None:
    _yaml(setup, "plugin", "0.0.1")


def _broken_project(setup: SetUp) -> None:
    (setup.folder / "Pulumi.yaml").write_text("name: [\n")


def _passphrase(setup: SetUp) -> None:
    setup.environment(FAKE_LOCKED="1")


def _secret_in_clear(setup: SetUp) -> None:
    setup.config["codat-zoho:zohoClientSecret"]["secret"] = False


def _invalid(setup: SetUp) -> None:
    setup.config["codat-zoho:regions"] = {"value": '["gb"]', "secret": False}


def _typo(setup: SetUp) -> None:
    setup.config["codat-zoho:allowDisrupton"] = {"value": "true", "secret": False}


def _not_configured(setup: SetUp) -> None:
    setup.config.clear()


def _no_key(setup: SetUp) -> None:
    setup.environment(CODAT_API_KEY="")


def _unknown_key(setup: SetUp) -> None:
    setup.environment(CODAT_API_KEY="the-key-of-somebody-else")


def _wrong_prefix(setup: SetUp) -> None:
    setup.environment(CODAT_API_KEY=f"Bearer {API_KEY}")


def _expired_account(setup: SetUp) -> None:
    setup.simulator.fail(Fault(path="/integrations", status=402, times=-1))


def _no_access(setup: SetUp) -> None:
    setup.simulator.fail(Fault(path="/integrations", status=403, times=-1))


def _http_address(setup: SetUp) -> None:
    setup.environment(CODAT_URL="http://api.codat.example")


def _unreachable(setup: SetUp) -> None:
    setup.monkeypatch.setattr("codat_zoho.remote.http.ATTEMPTS", 1)
    setup.environment(CODAT_URL="http://127.0.0.1:1")


def _login_page(setup: SetUp) -> None:
    setup.simulator.fail(Fault(path="/integrations", body=b"<html>", content_type="text/html", times=-1))


def _another_client(setup: SetUp) -> None:
    setup.config["codat-zoho:zohoClientId"]["value"] = OTHER_ID


def _no_integration(setup: SetUp) -> None:
    setup.simulator.codat[API_KEY].integration.offered = False


def _no_keys(setup: SetUp) -> None:
    setup.simulator.codat[API_KEY].integration.keys.clear()


def _few_calls(setup: SetUp) -> None:
    setup.simulator.daily_limit = 2


def _wrong_clock(setup: SetUp) -> None:
    date = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    setup.simulator.fail(Fault(path="/integrations", headers=date, times=-1))


def _no_certificates(setup: SetUp) -> None:
    setup.environment(SSL_CERT_FILE=str(setup.folder / "no-such-file.pem"))


def _zoho_elsewhere(setup: SetUp) -> None:
    setup.environment(ZOHO_URL="https://accounts.zoho.example")


BROKEN = {
    "no pulumi": (_no_pulumi, "fail", "Pulumi CLI", "no pulumi command"),
    "old pulumi": (_old_pulumi, "fail", "Pulumi CLI", "3.216 or newer"),
    "rather old pulumi": (_rather_old_pulumi, "warn", "Pulumi CLI", "adopt --run"),
    "wrong virtualenv": (_wrong_virtualenv, "fail", "provider's Python", "no Python there"),
    "package missing": (_bare_virtualenv, "fail", "packages", "cannot be imported"),
    "no virtualenv": (_no_virtualenv, "warn", "provider's Python", "changes with the shell"),
    "two Pythons": (_programs_other_python, "fail", "program's Python", "but the provider runs in"),
    "no plugin": (_no_plugin, "fail", "plugin", "neither Pulumi.yaml (plugins.providers) nor PATH leads to"),
    "plugin's folder empty": (_plugin_folder, "fail", "plugin", "names the folder plugin for it, which holds no"),
    "plugin broken": (_plugin_broken, "fail", "plugin", "does not start"),
    "plugin on PATH": (_plugin_on_path, "warn", "plugin", "changes with the shell"),
    "plugin of another version": (_plugin_older, "warn", "plugin", "0.0.1, "),
    "broken project": (_broken_project, "fail", "project", "no readable Pulumi project"),
    "passphrase missing": (_passphrase, "fail", "stack", "passphrase must be set"),
    "secret in clear": (_secret_in_clear, "fail", "configuration", "stored in clear"),
    "invalid configuration": (_invalid, "fail", "configuration", "did you mean 'uk'"),
    "typo": (_typo, "warn", "configuration", "did you mean allowDisruption?"),
    "not configured": (_not_configured, "fail", "configuration", "not set"),
    "no key": (_no_key, "fail", "API key", "No Codat API key"),
    "key of nobody": (_unknown_key, "fail", "API key accepted", "another client's, or expired"),
    "wrong prefix": (_wrong_prefix, "fail", "API key", "another word than 'Basic'"),
    "expired account": (_expired_account, "fail", "API key accepted", "(402)"),
    "no access": (_no_access, "fail", "API key accepted", "(403)"),
    "http address": (_http_address, "fail", "Codat address", "in clear"),
    "unreachable": (_unreachable, "fail", "Codat reachable", "could not be reached"),
    "login page": (_login_page, "fail", "API key accepted", "is not a JSON object"),
    "key of another client": (_another_client, "warn", "stored keys", "not the declared one"),
    "integration missing": (_no_integration, "fail", "integration", "(404)"),
    "enabled without keys": (_no_keys, "warn", "stored keys", "no customer can link"),
    "few calls left": (_few_calls, "warn", "rate budget", "of 2 calls left"),
    "wrong clock": (_wrong_clock, "warn", "clock", "ahead of Codat's"),
    "certificates missing": (_no_certificates, "fail", "TLS trust", "names what is not there"),
    "Zoho elsewhere": (_zoho_elsewhere, "fail", "Zoho hosts", "only a loopback address"),
}


def _state(*resources: tuple[str, str, dict[str, object]]) -> str:
    """An exported state of a program of its own, with these kinds, names and inputs."""
    entries = [
        {
            "type": f"{TOKEN_PREFIX}{kind}",
            "urn": f"urn:pulumi:test::shop::{TOKEN_PREFIX}{kind}::{name}",
            "id": name,
            "inputs": inputs,
            "outputs": inputs,
        }
        for kind, name, inputs in resources
    ]
    return json.dumps({"version": 3, "deployment": {"resources": entries}})


def _sealed(text: str) -> dict[str, str]:
    return {SIGNATURE: _SEALED, "plaintext": json.dumps(text)}


def test_a_program_of_its_own_is_verified_as_deployed(setup: SetUp) -> None:
    """Its Codat clients, data centres and keys are those of the last deployment; each is named, no secret is shown."""
    setup.simulator.add_codat_client("key-of-the-test-client")
    setup.option("name: codat-zoho", "name: shop")
    setup.config = {}
    app: dict[str, object] = {
        "client_id": ID,
        "client_secret": _sealed(SECRET),
        "regions": ["jp", "us"],
        "verify": "off",
    }
    link = {"enabled": True, "connection": "default"}
    books = (("ZohoBooksIntegration", "link", link), ("ZohoBooksIntegration", "eu", {**link, "connection": "eu"}))
    setup.environment(
        FAKE_STATE=_state(("ZohoClientCredentials", "app", app), *books), CODAT_API_KEY_EU="key-of-the-test-client"
    )
    code, found, text = setup.doctor("--verify")
    assert code == 0, text
    assert [one["what"].partition(";")[0] for one in found["Zoho client"]] == [f"{ID} in jp, us"]
    assert "jp, us answer" in found["Zoho hosts"][0]["what"]
    assert [one["what"].partition("connection ")[2] for one in found["API key"]] == ["'default'", "'eu'"]
    assert len(found["Codat client"]) == 2 and "app (ZohoClientCredentials)" in found["deployed"][0]["what"]
    setup.environment(FAKE_STATE="", CODAT_API_KEY_EU="")
    _, found, _ = setup.doctor("--verify")
    assert found["Zoho client"][0]["verdict"] == "warn" and "pulumi up" in found["Zoho client"][0]["next_step"]


def test_a_yaml_program_needs_its_plugin_and_no_python(setup: SetUp) -> None:
    """The plugin that Pulumi.yaml names is asked for its version; each explicit provider has its own API key."""
    _yaml(setup, "plugin")
    setup.simulator.add_codat_client("key-of-eu")
    providers = [plugin_provider("eu", apiKey=secret("key-of-eu"), codatUrl=os.environ["CODAT_URL"])]
    providers += [plugin_provider("bare")]
    reference = [f"{one['urn']}::{one['id']}" for one in providers]
    theirs = [books(name=name, provider=it) for name, it in zip(("eu", "bare"), reference, strict=True)]
    setup.config = {"codat-zoho:apiKey": {"value": API_KEY, "secret": True}}
    setup.environment(FAKE_STATE=plugin_state(state(*theirs), *providers), CODAT_API_KEY="")
    code, found, text = setup.doctor()
    assert found["plugin"][0]["verdict"] == "ok" and __version__ in found["plugin"][0]["what"], text
    assert not {"provider's Python", "program's Python", "packages"} & {*found}
    assert [(one["verdict"], one["what"]) for one in found["API key"]] == [
        ("fail", "No Codat API key for connection 'default'."),
        ("ok", "from codat-zoho:apiKey, for connection 'default' of provider 'eu'"),
    ]
    assert "Or give it to the provider 'bare' in the program." in found["API key"][0]["next_step"] and code == 1
    assert found["API key accepted"][0]["verdict"] == "ok"


def test_columns_never_collide(setup: SetUp) -> None:
    """What was found begins in one column, whatever the line is about."""
    setup.environment(FAKE_CONFIG=json.dumps(setup.config), CODAT_CLIENT_ID="d4f67286-d428-58b4-a307-af00b57e9f40")
    for arguments in ([], ["--verify"]):
        main(["doctor", "--cwd", str(setup.folder), *arguments])
        lines = [
            line for line in setup.capsys.readouterr().out.splitlines() if line[:4].strip() in ("ok", "warn", "fail")
        ]
        assert lines and all(line[28] == " " and line[29] != " " for line in lines), lines


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_may_mean_a_client_certificate(status: int, setup: SetUp) -> None:
    """On 401 and 403 the next step names what an account takes that demands certificates; half of it is a warning."""
    setup.simulator.fail(Fault(path="/integrations", status=status, times=-1))
    setup.environment(CODAT_CLIENT_ID="d4f67286-d428-58b4-a307-af00b57e9f40")
    _, found, _ = setup.doctor()
    assert "CODAT_CLIENT_CERT, CODAT_CLIENT_KEY and CODAT_CLIENT_ID" in found["API key accepted"][0]["next_step"]
    assert "Administrator" not in found["API key accepted"][0]["next_step"]
    assert found["client certificate"][0]["verdict"] == "warn"


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_set_up_is_found(name: str, setup: SetUp) -> None:
    """The right line says so, with the next step; exit 1 when it fails; no secret is shown, nothing is written."""
    break_it, verdict, topic, words = BROKEN[name]
    break_it(setup)
    code, found, text = setup.doctor()
    lines = [one for one in found.get(topic, []) if one["verdict"] == verdict and words in one["what"]]
    assert lines, text
    assert code == (1 if any(one["verdict"] == "fail" for ones in found.values() for one in ones) else 0)
    assert verdict != "fail" or (code == 1 and lines[0]["next_step"])
    assert not setup.simulator.writes and not setup.simulator.probes


class _Eating(socketserver.StreamRequestHandler):
    """A proxy that accepts CONNECT and then answers with its own page instead of the other side's TLS."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        self.connection.recv(1024)
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n<html>blocked</html>")


def test_a_proxy_that_eats_tls_is_found(setup: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line on Codat names TLS and sends to the proxy's certificate; the proxy is shown without its password."""
    monkeypatch.setattr("codat_zoho.remote.http.ATTEMPTS", 1)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Eating) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        setup.environment(
            HTTPS_PROXY=f"http://user:hunter2@127.0.0.1:{proxy.server_address[1]}",
            CODAT_URL="https://api.codat.example",
        )
        code, found, text = setup.doctor()
        proxy.shutdown()
    assert code == 1
    assert "SSL_CERT_FILE" in found["Codat reachable"][0]["next_step"], text
    assert "hunter2" not in text and "[redacted]@127.0.0.1" in found["proxies"][0]["what"]
