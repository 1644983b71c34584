"""What the engine prints when it fails becomes one clean line of a known kind. The texts were recorded."""

from __future__ import annotations

import pytest

from codat_zoho.workspace.failures import LENGTH, from_diagnostic, from_output, unreadable_project
from tests.support import SECRET

PROVIDER = (
    "error: could not load provider for resource urn:pulumi:dev::p::t::n: could not read plugin "
    "[/usr/bin/pulumi-resource-pulumi-python]: exit status 1"
)


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (
            "Preview failed: ServerFailed: Codat failed when reading (500). Nothing is lost: run it again later.\n\n",
            "server failed",
            "Codat failed when reading (500). Nothing is lost: run it again later.",
        ),
        ("Preview failed: ApiKeyRefused: Codat refused the API key.", "authentication", "Codat refused the API key."),
        (
            "Preview failed: Exception calling application: ApiKeyRefused: Codat refused the API key.",
            "authentication",
            "Codat refused the API key.",
        ),
        (
            "error resolving type of resource eu: internal error loading package: no resource plugin "
            "'pulumi-resource-codat-zoho' found in the workspace or on your $PATH",
            "plugin",
            "The engine finds no plugin codat-zoho. Name its folder in Pulumi.yaml (plugins.providers), or put it on "
            "PATH; 'codat-zoho doctor' says how.",
        ),
        (
            "parsing plugin options for 'codat-zoho': no folder at path '/nowhere'",
            "plugin",
            "parsing plugin options for 'codat-zoho': no folder at path '/nowhere'. Correct plugins.providers in "
            "Pulumi.yaml.",
        ),
        ("AccessDenied: Codat does not let it.", "authentication", "Codat does not let it."),
        (
            "ConfigurationError: No Codat API key for connection 'a'. Set it.",
            "configuration error",
            "No Codat API key for connection 'a'. Set it.",
        ),
        (
            "ConfigurationError: CODAT_URL is no usable address.",
            "configuration error",
            "CODAT_URL is no usable address.",
        ),
        (
            "Exception calling application: x\nTraceback (most recent call last):\n  File 'a', line 1\n"
            "ModuleNotFoundError: No module named 'codat_zoho'\n",
            "project",
            "The project's Python lacks a module: ModuleNotFoundError: No module named 'codat_zoho'. Create the "
            "virtual environment that Pulumi.yaml names and install the project's requirements into it.",
        ),
        ("something new", "pulumi", "something new."),
        ("boom: Codat is not asked", "pulumi", "boom: Codat is not asked."),
        ("conflict: another update", "pulumi", "conflict: another update."),
        ("TypeError: no text", "pulumi", "TypeError: no text."),
    ],
)
def test_errors_of_a_resource(message: str, kind: str, text: str) -> None:
    """The engine's words around ours go, ours stay; the kind decides the exit code."""
    found = from_diagnostic(message)
    assert found and (found.kind, found.text) == (kind, text)


@pytest.mark.parametrize("message", ["preview failed\n", "update failed", " \n"])
def test_what_only_says_that_something_failed_is_left_out(message: str) -> None:
    """It would hide the error that says why."""
    assert from_diagnostic(message) is None


@pytest.mark.parametrize(
    ("stderr", "said", "kind", "words"),
    [
        ("error: no stack named 'nope' found", (), "unknown stack", "no stack named 'nope' found"),
        (
            "error: getting stack configuration: get stack secrets manager: passphrase must be set with "
            "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
            (),
            "passphrase",
            "none is set. Set PULUMI_CONFIG_PASSPHRASE",
        ),
        ("error: getting stack configuration: incorrect passphrase", (), "passphrase", "does not open"),
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            (),
            "authentication",
            "not logged in",
        ),
        (
            'error: failed to ping PostgreSQL database: pq: password authentication failed for user "state"',
            (),
            "authentication",
            "login to Pulumi's backend fails",
        ),
        (
            'error: read ".pulumi/meta.yaml": blob (code=Unknown): operation error S3: GetObject, https response '
            "error StatusCode: 403, api error InvalidAccessKeyId: The AWS Access Key Id does not exist in our records.",
            (),
            "authentication",
            "login to Pulumi's backend fails",
        ),
        ("error: could not unmarshal '/p/Pulumi.yaml': invalid YAML file", (), "project", "Correct Pulumi.yaml"),
        (PROVIDER, ["The 'virtualenv' option in Pulumi.yaml is set to 'x', but 'x' doesn't exist."], "project", "'x'"),
        (PROVIDER, ["python: No module named 'pulumi'"], "project", "lacks a module"),
        (PROVIDER, [], "pulumi", "could not load provider"),
        ("error: the stack is currently locked by 1 lock(s).", (), "busy", "Run it again"),
        ("", (), "pulumi", "did not say why"),
    ],
)
def test_errors_of_the_engine(stderr: str, said: list[str], kind: str, words: str) -> None:
    """Each known failure says in one line what to do; an unknown one is passed on as it is."""
    found = from_output("", stderr, said)
    assert found.kind == kind and words in found.text and "\n" not in found.text


@pytest.mark.parametrize(
    "said",
    [
        "https response error StatusCode: 403, RequestID: 1, api error Forbidden: Forbidden",
        "https response error StatusCode: 400, RequestID: 1, api error InvalidToken: The provided token is malformed.",
        "AccessDenied: Access Denied status code: 403, request id: 1",
        "AccessDenied: Access Denied\n\tstatus code: 403, request id: 1",
        "NoCredentialProviders: no valid providers in chain. Deprecated.",
        "pq: no password supplied",
        'pq: role "state" is not permitted to log in',
    ],
)
def test_a_refused_login_to_a_backend(said: str) -> None:
    """Each store words it otherwise; the exit code is that of a login, and what to do stands there."""
    for found in (from_output("", f"error: {said}"), from_diagnostic(said)):
        assert found and found.kind == "authentication" and "login to Pulumi's backend fails" in found.text


def test_an_error_that_only_stands_on_stdout() -> None:
    """The engine prints some errors among its progress."""
    assert from_output("Previewing\n  x error: preview failed\n  y error: boom\n", "").text == "boom."


def test_no_secret_and_no_novel() -> None:
    """Whatever a process prints, a report holds one bounded line without anything of the shape of a secret."""
    found = from_output("", f"error: {SECRET} {'x' * 5000}\x1b[31m")
    assert SECRET not in found.text and len(found.text) <= LENGTH + 1 and "\x1b" not in found.text


def test_an_unreadable_project() -> None:
    """It says which file to correct."""
    assert (
        unreadable_project("it has no name.").text == "The project cannot be read: it has no name. Correct Pulumi.yaml."
    )
