"""Removes the package's safeguards one by one and expects the tests to notice: ``make mutations``.

Each mutation replaces one text of one file in a copy of the tree. The tests that guard it run there and
have to fail. Names on the command line pick some: ``tools/mutations.py "no redirect"``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 300
"""The removed safeguard may be one against endless waiting, so a run that does not end counts as a failure."""
_LEFT_OUT = shutil.ignore_patterns(
    ".venv*", ".git", "__pycache__", ".*_cache", ".hypothesis", ".coverage*", "build", "dist"
)


@dataclass(frozen=True)
class Mutation:
    """One safeguard less.

    Args:
        name: the safeguard, in words.
        file: where it stands.
        old: its text, which must stand there exactly once.
        new: what replaces it.
        tests: what has to fail then: arguments of pytest.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _m(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(name, f"codat_zoho/{file}", old, new, tuple(f"tests/{test}" for test in tests))


MUTATIONS: tuple[Mutation, ...] = (
    # --- nothing secret in any text ---
    _m(
        "redaction of an error's text",
        "provider/process.py",
        "harmless(redact(str(error)))",
        "harmless(str(error))",
        "test_provider.py",
    ),
    _m(
        "redaction of what the provider says",
        "provider/process.py",
        "TOLD.get()(harmless(redact(text)))",
        "TOLD.get()(harmless(text))",
        "test_provider.py",
    ),
    _m(
        "what is printed commands nobody",
        "terminal/console.py",
        "text = harmless(text, form, coloured=coloured)",
        "pass",
        "test_printed.py",
    ),
    _m(
        "a report's texts are redacted, wherever they come from",
        "texts/report_json.py",
        '" ".join(redact(text).splitlines())',
        '" ".join(text.splitlines())',
        "test_printed.py",
    ),
    _m(
        "redaction of the request log",
        "remote/http.py",
        'self.log(redact(f"{method}',
        'self.log((f"{method}',
        "test_http.py",
    ),
    _m(
        "redaction of what httpx logs",
        "texts/redact.py",
        "logging.getLogger(name).addFilter(_redacted)",
        "logging.getLogger(name)",
        "test_secrets_texts.py",
    ),
    _m(
        "redaction of a library's reason",
        "remote/http.py",
        "raise _NoAnswer(one_line(str(error)) or outcome[-1]) from None",
        "raise _NoAnswer(str(error) or outcome[-1]) from None",
        "test_http.py",
    ),
    _m(
        "redaction of a command's error",
        "terminal/console.py",
        "print(harmless(redact(text))",
        "print(harmless(text)",
        "test_cli.py",
        "test_secrets_commands.py",
    ),
    _m(
        "the correlation id is one",
        "remote/answers.py",
        "ID.fullmatch(redact(i))",
        "i",
        "test_codat.py",
    ),
    _m(
        "Codat's words are one redacted line",
        "remote/answers.py",
        'words = one_line(message).rstrip(".")',
        'words = message.rstrip(".")',
        "test_codat.py",
    ),
    _m(
        "redaction comes before cutting",
        "texts/redact.py",
        "clean = redact(text[:_LONGEST])",
        "clean = text[:limit]",
        "test_redact.py",
    ),
    _m(
        "the longest of two secrets is redacted whole",
        "texts/redact.py",
        "key=len, reverse=True))",
        "key=len))",
        "test_redact.py",
    ),
    _m(
        "secrets of a provider's arguments are known",
        "provider/process.py",
        "register(value)\n",
        "pass\n",
        "test_secrets_texts.py",
    ),
    _m(
        "the proxy's password is known",
        "texts/redact.py",
        'register(unquote(parts.password or parts.username or ""))',
        "pass",
        "test_secrets_texts.py",
    ),
    _m(
        "the environment's secrets are known to commands",
        "cli.py",
        "    _know_secrets()\n",
        "",
        "test_secrets_commands.py",
    ),
    _m(
        "an API key is not in its repr",
        "remote/codat.py",
        "    header: str = field(repr=False)\n",
        "    header: str\n",
        "test_secrets_texts.py",
    ),
    _m(
        'check names property "" for secrets',
        "provider/faces.py",
        'CheckFailure("", problem)',
        'CheckFailure("client_secret", problem)',
        "test_provider.py",
        "test_ladder.py",
    ),
    _m(
        "an API key is known as soon as it is read",
        "remote/codat.py",
        "register(rest.strip() if ready else bare)",
        "pass",
        "test_secrets_texts.py",
        "test_codat.py",
    ),
    _m(
        "a key among the regions is not quoted",
        "declare/datacentres.py",
        "repr(code) if _WORD.fullmatch(code) else",
        "repr(code) if True else",
        "test_secrets_texts.py",
    ),
    _m(
        "a traceback is printed only when asked for",
        "provider/process.py",
        '    if debugging():\n        say("".join',
        '    if True:\n        say("".join',
        "test_secrets_texts.py",
    ),
    _m(
        "a failure is one line over the wire",
        "provider/faces.py",
        "sys.tracebacklimit = 0",
        "pass",
        "test_provider.py",
        "test_secrets_commands.py",
    ),
    _m(
        "an answer does not show itself",
        "remote/http.py",
        "    body: bytes = field(repr=False)\n",
        "    body: bytes\n",
        "test_secrets_texts.py",
    ),
    # --- where keys go ---
    _m(
        "https only",
        "remote/connection.py",
        'if parts.scheme == "http" and not loopback:',
        "if False:",
        "test_http.py",
    ),
    _m(
        "only loopback stands in for Zoho",
        "remote/connection.py",
        "if loopback_only and not loopback:",
        "if False:",
        "test_http.py",
    ),
    _m("no user in an address", "remote/connection.py", 'set(" @?#\\\\")', 'set(" ?#\\\\")', "test_http.py"),
    _m("no redirect", "remote/http.py", "follow_redirects=False", "follow_redirects=True", "test_http.py"),
    _m(
        "no cookies",
        "remote/http.py",
        "cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),",
        "",
        "test_http.py",
    ),
    _m(
        "no proxy for loopback",
        "remote/http.py",
        "mounts={} if self.transport else _NO_PROXY",
        "mounts={}",
        "test_http.py",
    ),
    _m(
        "a connection never uses the default key",
        "remote/connection.py",
        "return f\"{variable}_{connection.upper().replace('-', '_')}\", f\"{key}s.{connection}\"",
        'return "CODAT_API_KEY", "apiKey"',
        "test_environment.py",
    ),
    _m(
        "the secret goes into the body",
        "remote/zoho.py",
        "            form={\n",
        "            json_body={\n",
        "test_zoho.py",
    ),
    # --- bounds ---
    _m(
        "the cap on Retry-After",
        "remote/http.py",
        "or wait > RETRY_AFTER_CAP or wait",
        "or wait",
        "test_http.py",
    ),
    _m("the limit of a body", "remote/http.py", "if len(body) > MAX_BODY:", "if False:", "faults/test_bodies.py"),
    _m(
        "the deadline before a request",
        "remote/http.py",
        "        if deadline.left() <= 0:\n            raise _NoAnswer(used_up)",
        "        if False:\n            raise _NoAnswer(used_up)",
        "test_http.py",
    ),
    _m(
        "the deadline of a body",
        "remote/http.py",
        "        if deadline.left() <= 0:\n            raise _late(deadline)",
        "        if False:\n            raise _late(deadline)",
        "test_http.py",
    ),
    _m(
        "nothing is sent after the deadline",
        "remote/http.py",
        'if "send_request" in event and (',
        'if "never" in event and (',
        "test_deadline.py",
    ),
    _m(
        "the depth of a stack file",
        "workspace/yaml_lines.py",
        "        if depth > _DEEPEST:",
        "        if False:",
        "test_fuzz.py",
    ),
    _m("probes are never repeated", "remote/zoho.py", "            retry=False,\n", "", "test_zoho.py"),
    _m(
        "no other page follows a link",
        "simulator/server.py",
        'headers.get("origin") not in origins or ',
        "",
        "test_simulator_links.py",
    ),
    _m(
        "only POST links",
        "simulator/pages.py",
        '"/oauth/callback" and posted',
        '"/oauth/callback"',
        "test_simulator_links.py",
    ),
    _m(
        "a page shows names as text",
        "simulator/screens.py",
        "    title = escape(title)\n",
        "",
        "test_simulator_links.py",
    ),
    _m(
        "a callback needs the code of its consent",
        "simulator/pages.py",
        'elif grant and secrets.compare_digest(grant.code.encode(), query.get("code", "").encode()):',
        "elif grant:",
        "test_simulator_links.py",
    ),
    # --- what is sent ---
    _m(
        "companies that are linked block a plan",
        "core/plan.py",
        "if not result.disruptive or actual.linked == 0:",
        "if True:",
        "test_plan.py",
    ),
    _m(
        "an unknown count blocks a plan",
        "core/plan.py",
        "result.disruptive or actual.linked == 0:",
        "result.disruptive or not actual.linked:",
        "test_plan.py",
    ),
    _m(
        "a preview refuses what the recorded count forbids",
        "provider/books.py",
        "        _refuse_early(olds, news)\n",
        "        pass\n",
        "test_provider.py",
        "test_ladder.py",
    ),
    _m(
        "the live count decides",
        "remote/converge.py",
        "actual = replace(actual, linked=codat.count_linked())",
        "actual = replace(actual, linked=0)",
        "test_apply.py",
    ),
    _m("a blocked plan is not applied", "remote/converge.py", "        todo.raise_if_blocked()\n", "", "test_apply.py"),
    _m(
        "an unreadable company counts as linked",
        "remote/codat.py",
        'raise errors.UnexpectedAnswer("Codat\'s list of companies cannot be read.", status=200) from None',
        "pass",
        "test_codat.py",
    ),
    _m(
        "what was written is read back",
        "remote/converge.py",
        "            actual = _settled(codat, settings, step)\n",
        "            actual = replace(actual, enabled=bool(step.enabled))\n",
        "test_apply.py",
    ),
    _m(
        "keys before enabling",
        "core/plan.py",
        "if desired.enabled:\n            steps.append(step)",
        "if False:\n            steps.append(step)",
        "test_plan.py",
    ),
    _m(
        "disabling before keys",
        "core/plan.py",
        "            steps.insert(0, step)\n        if recorded",
        "            steps.append(step)\n        if recorded",
        "test_plan.py",
    ),
    _m(
        "disabling before deleting",
        "core/plan.py",
        "steps.append(Step(StepKind.DELETE_KEYS,",
        "steps.insert(0, Step(StepKind.DELETE_KEYS,",
        "test_plan.py",
    ),
    _m(
        "a renamed resource touches nothing",
        "provider/books.py",
        "if connection in CONTEXT.declared:",
        "if False:",
        "test_codat_client.py",
    ),
    _m(
        "an API key of another Codat client is refused",
        "remote/codat.py",
        "if not client.is_another(recorded.id):",
        "if True:",
        "test_codat_client.py",
    ),
    _m(
        "a withdrawn call does not say that no keys are stored",
        "remote/codat.py",
        "if answer.status == 405 or withdrawn(answer):",
        "if answer.status == 405:",
        "test_codat.py",
    ),
    _m(
        "a withdrawn call does not say that keys are deleted",
        "remote/codat.py",
        "answer.status == 404 and not withdrawn(answer)",
        "answer.status == 404",
        "test_codat.py",
    ),
    _m(
        "a refresh leaves what was declared alone",
        "provider/books.py",
        "_KEPT = (CLEARED, inputs.DECLARED, *CODAT_CLIENT)",
        "_KEPT = (CLEARED, *CODAT_CLIENT)",
        "test_codat_client.py",
    ),
    _m(
        "a mask is never declared",
        "declare/rules.py",
        "    if _MASKED.search(text):\n",
        "    if False:\n",
        "test_settings.py",
    ),
    _m(
        "what has the right type and breaks a rule does not pass without pydantic",
        "declare/describe.py",
        " and not (self.rule and any(self.rule(value)))",
        "",
        "test_quick_check.py",
    ),
    _m(
        "a secret without an id is refused",
        "declare/settings.py",
        'if "client_secret" in values and "client_id" not in {*values, *unknown}:',
        'if "client_secret" in values and not values:',
        "test_settings_together.py",
    ),
    _m(
        "a secret that differs reads back as the recorded one",
        "core/observe.py",
        'now = replace(now, client_secret_fingerprint=f"differs ({shown})")',
        "now = replace(now, client_secret=actual.client_secret)",
        "test_observe.py",
        "test_plan_laws.py",
    ),
    _m(
        "inconclusive is not rejected",
        "core/observe.py",
        "return self in (Probe.WRONG_SECRET, Probe.UNKNOWN_CLIENT)",
        "return self is not Probe.ACCEPTED",
        "test_plan_client.py",
    ),
    _m(
        "omitted is not false",
        "core/plan.py",
        "if desired.enabled is not None and desired.enabled != actual.enabled:",
        "if bool(desired.enabled) != actual.enabled:",
        "test_plan.py",
    ),
    _m(
        "a foreign 404 is not gone",
        "remote/answers.py",
        "elif status == 404 and found is None:",
        "elif False:",
        "test_codat.py",
    ),
    # --- what is kept ---
    _m(
        "a fingerprint is a digest",
        "declare/rules.py",
        'hashlib.sha256(f"{client_id}\\0{client_secret}".encode()).hexdigest()[:16]',
        "client_secret[:16]",
        "test_settings.py",
        "test_plan.py",
    ),
    _m("a run asks once", "drift/compare.py", "answers.get(question, asked)", "asked()", "test_drift_remote.py"),
    _m(
        "the limit a minute",
        "remote/budget.py",
        "len(self._recent) >= MINUTE_LIMIT",
        "False",
        "test_budget.py",
    ),
    _m("little left is warned of", "remote/budget.py", "        if warn:\n", "        if False:\n", "test_budget.py"),
    _m(
        "waiting for the limit costs no stack its time",
        "remote/http.py",
        "            deadline.excuse(pause)\n",
        "",
        "test_drift_remote.py",
    ),
    # --- drift ---
    _m(
        "what is begun is no end",
        "workspace/state.py",
        'if kind_of(it["type"]) and one.get("type") != "reading"',
        "if False",
        "test_drift_state.py",
    ),
    _m(
        "each resource has the API key of its own provider",
        "workspace/state.py",
        "    if type_ == needed:\n",
        "    if False:\n",
        "test_drift_state.py",
    ),
    _m(
        "a stack of the plugin is known for one",
        "workspace/state.py",
        "config or not _PROVIDERS[type_]",
        "config",
        "test_drift_state.py",
    ),
    _m(
        "what the plugin left has to be recorded anew",
        "provider/faces.py",
        "found.changes if before.keys() == olds.keys() else True",
        "found.changes",
        "test_moving_to_the_plugin.py::test_what_the_plugin_left_is_taken_over",
    ),
    _m(
        "a YAML program that does not run is no program without changes",
        "workspace/preview.py",
        ' or (level == "info#err" and text.startswith(_FAILED))',
        "",
        "test_drift_fleet.py::test_a_preview_that_fails_is_an_error_of_its_own",
    ),
    _m(
        "drift is from what was declared",
        "drift/findings.py",
        "self._declared: Props = declaration if isinstance(declaration, Mapping) else deployed.inputs",
        "self._declared: Props = deployed.inputs",
        "test_drift_findings.py",
    ),
    _m(
        "encrypted is not as declared",
        "drift/findings.py",
        "        if not self._encrypted:\n",
        "        if True:\n",
        "test_drift_findings.py",
    ),
    _m(
        "the key of another Codat client is no drift",
        "drift/compare.py",
        "        codat.confirm(actual.codat_client, recorded)\n",
        "",
        "test_drift_remote.py",
        "test_drift_fleet.py",
    ),
    _m(
        "an export is given no key",
        "workspace/command.py",
        "if keys or not name.startswith(_KEYS)",
        "if True",
        "test_drift_fleet.py",
    ),
    _m(
        "a remediation looks again",
        "drift/driver.py",
        "        self._remote.forget()\n",
        "",
        "test_drift_fleet.py",
    ),
    # --- the link test ---
    _m(
        "a company is created once",
        "remote/companies.py",
        '{"name": name}, retry=False',
        '{"name": name}',
        "test_link.py",
    ),
    _m(
        "what may have been created is looked for",
        "link/run.py",
        "self._unsure = True  #",
        "self._unsure = False  #",
        "test_link.py",
    ),
    _m(
        "a deletion is made sure of",
        "remote/companies.py",
        "if answer.status != 204:",
        "if answer.status >= 400:",
        "faults/test_link_matrix.py",
    ),
    _m("a signal waits for the call", "link/run.py", "with deferred() as self._stops:", "if True:", "test_link.py"),
    _m("the link is redacted", "remote/companies.py", "        register(link)\n", "", "test_link.py"),
    _m(
        "the connection's id is redacted",
        "remote/companies.py",
        "        register(identity)",
        "        (identity)",
        "test_link.py",
    ),
    _m("a link leads to no script", "remote/companies.py", "        if not fits or", "        if", "test_link.py"),
    _m(
        "a log is no terminal",
        "terminal/console.py",
        '    if os.environ.get("CI"):\n        return False\n    try:',
        "    try:",
        "test_link.py",
    ),
    _m(
        "errors beside Linked are no proof",
        "core/linking.py",
        "    if connection.errors:\n",
        "    if False:\n",
        "test_link.py",
    ),
    _m("at most one look in five seconds", "core/linking.py", "5.0, 20.0, 1.1", "4.0, 20.0, 1.1", "test_link.py"),
    _m(
        "a linked company is not deleted unasked",
        "core/linking.py",
        "if company.linked:",
        "if False:",
        "test_link.py",
    ),
    _m(
        "an answer about another company deletes nobody's",
        "remote/companies.py",
        "if not is_same_test(made.name, name):",
        "if False:",
        "test_link.py",
    ),
    _m("a customer's company is no leftover", "link/run.py", " and not alien", "", "test_link.py"),
    _m(
        "a failure after a proof is a doubt",
        "link/record.py",
        "        if later:\n",
        "        if False:\n",
        "test_link.py",
    ),
    _m(
        "another Codat client's proof is none",
        "link/record.py",
        "self.codat_client.lower() == codat_client.lower()",
        "True",
        "test_link.py",
    ),
    _m("counting ends at the last page", "remote/codat.py", " and len(companies) < _PAGE_SIZE", "", "test_budget.py"),
    _m("a written file is its owner's", "terminal/console.py", "0o600", "0o644", "test_secrets_commands.py"),
    _m("nothing is overwritten", "terminal/console.py", "    if there:\n", "    if False:\n", "test_adopt.py"),
    _m(
        "a secret is encrypted by its stack",
        "adopt/import_state.py",
        'return {**values, "client_secret": cache[secret]}',
        "return dict(values)",
        "test_adopt.py",
    ),
    # --- the plugin ---
    _m(
        "what the plugin tells commands nobody",
        "plugin/servicer.py",
        "_SPELL(harmless(redact(text)))",
        "_SPELL(redact(text))",
        "test_plugin.py",
    ),
    _m(
        "the provider keeps its own configuration only",
        "plugin/configuration.py",
        "*CONFIG_KEYS, ",
        "*CONFIG_KEYS, 'greeting', 'onDelete', ",
        "test_plugin.py",
    ),
    _m(
        "its API keys are secret however they were set",
        "plugin/configuration.py",
        "frozenset(CONFIG_KEYS) & {*SECRET_KEYS}",
        "frozenset[str]()",
        "test_plugin.py",
    ),
    _m("secrets are marked", "plugin/bags.py", "{*_ALWAYS, *secret}", "{*secret}", "test_plugin.py"),
    _m(
        "the state of a dynamic resource is rewritten",
        "plugin/servicer.py",
        " or inputs.moved or outs.moved",
        "",
        "test_plugin.py",
    ),
    _m("nothing begins after Ctrl-C", "plugin/servicer.py", "if self.stop.called:\n", "if False:\n", "test_plugin.py"),
    _m(
        "Ctrl-C ends what is in flight",
        "remote/budget.py",
        "return 0.0 if self.called else math.inf",
        "return math.inf",
        "test_plugin.py",
    ),
    _m("what got half-way is recorded", "provider/books.py", "if not sent:", "if sent:", "test_plugin.py"),
    _m(
        "a secret that no deployment has stored is not replaced",
        "core/plan.py",
        "known is None and bool(the_secret.differs)",
        "False",
        "test_plan.py",
    ),
)


def problem_with(mutation: Mutation) -> str | None:
    """Say why a mutation cannot be made; None when it can."""
    file = ROOT / mutation.file
    if not file.is_file():
        return f"there is no {mutation.file}"
    count = file.read_text(encoding="utf-8").count(mutation.old)
    missing = [name for test in mutation.tests if not (ROOT / (name := test.partition("::")[0])).is_file()]
    if missing:
        return f"there is no {', '.join(missing)}"
    return None if count == 1 else f"its text stands {count} times in {mutation.file}"


def survives(mutation: Mutation) -> str | None:
    """Make it in a copy of the tree and run its tests; say what is wrong when they pass."""
    problem = problem_with(mutation)
    if problem:
        return problem
    code, said = _tested(mutation.tests, mutation)
    if code == 0:
        return f"it survives {' '.join(mutation.tests)}"
    # 1: tests failed; negative: the process crashed, or did not end. Anything else proves nothing.
    return None if code <= 1 else f"its tests did not run: {said}"


def _tested(tests: Sequence[str], mutation: Mutation | None = None, *, seconds: float = SECONDS) -> tuple[int, str]:
    """Run tests in a copy of the tree; return pytest's exit code and the end of what it said."""
    with tempfile.TemporaryDirectory(prefix="codat-zoho-mutation-") as folder:
        tree = Path(folder, "tree")
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT)
        if mutation is not None:
            file = tree / mutation.file
            file.write_text(file.read_text(encoding="utf-8").replace(mutation.old, mutation.new), encoding="utf-8")
        # The installed package is this checkout; the copy comes first on the path, and is asked whether it does.
        env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "FUZZ_EXAMPLES": "1"}
        words = ["-m", "pytest", "-x", "-q", "-m", "not engine", *tests]
        where = "import codat_zoho; print(codat_zoho.__file__)"
        try:
            found = subprocess.run([sys.executable, "-c", where], cwd=tree, env=env, capture_output=True, text=True)
            if not found.stdout.startswith(str(tree)):
                return 2, f"they would run with {found.stdout.strip()}"
            done = subprocess.run(
                [sys.executable, *words], cwd=tree, env=env, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return -1, "they did not end"
    return done.returncode, (done.stdout + done.stderr).strip()[-600:]


def main(names: Sequence[str]) -> int:
    """Try all mutations, or those that are named."""
    todo = [mutation for mutation in MUTATIONS if not names or mutation.name in names]
    unknown = sorted(set(names) - {mutation.name for mutation in MUTATIONS})
    if unknown:
        print(f"no such mutation: {', '.join(unknown)}", file=sys.stderr)
        return 2
    began, left = time.monotonic(), 0
    jobs = os.environ.get("JOBS", "2")
    # They have to pass without a mutation: a test that fails anyway would kill every one.
    code, said = _tested(["-n", jobs, *sorted({test for mutation in todo for test in mutation.tests})], seconds=1200)
    if code:
        print(f"The tests fail without any mutation, so they prove nothing:\n{said}", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(int(jobs)) as pool:
        for mutation, problem in zip(todo, pool.map(survives, todo), strict=True):
            left += problem is not None
            print(
                f"{'NOT KILLED' if problem else 'killed':<12}{mutation.name}{f': {problem}' if problem else ''}",
                flush=True,
            )
    print(f"{len(todo) - left} of {len(todo)} killed in {time.monotonic() - began:.0f} s.")
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
