"""While nothing changed, no model is loaded to validate it, and the answer is the same as if one were."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.declare.describe import LISTS, described
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.declare.validation import problems_with
from codat_zoho.errors import SettingsError
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET

MODELS = [ZohoClientSettings, IntegrationSettings]
# Few values, so that each is met often, alone and beside the others; some are against the rules.
DECLARED: dict[str, tuple[Any, ...]] = {
    "client_id": (ID, OTHER_ID, SECRET, "*" * 31 + ID[-4:], "", 1),
    "client_secret": (SECRET, OTHER_SECRET, ID, "two words", None),
    "regions": (["us"], ["eu", "us", "us"], ("us",), {"us"}, [], ["gb"], [1, "us"], "us", {"us": 1}),
    "same_credentials_everywhere": (True, False, 1, "true"),
    "verify": ("on-change", "always", "never", 1, ["off"]),
    "enabled": (True, False, 1, 1.0, "true"),
    "connection": ("default", "b", "B", "", 1),
    "on_delete": ("remove", "keep", "off", True),
    "allow_disruption": (True, False, 0, [True]),
    "no_setting": (True, None),
}
anything: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
anything = st.one_of(anything, st.lists(anything), st.dictionaries(st.text(), anything))


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_the_quick_check_says_what_the_validation_says(model: type, data: Any) -> None:
    """Whatever is declared: pydantic finds something wrong with exactly what does not pass without it."""
    settings = described(model)
    name = data.draw(st.sampled_from([*settings]))
    value = data.draw(st.sampled_from(DECLARED[name]) | anything.filter(lambda one: one is not None))
    problems = list(problems_with(settings, {name: value}))
    assert settings[name].fits(value) is not bool(problems)
    assert {problem.field for problem in problems} <= {name}


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_all_problems_are_told_and_nothing_else(model: Any, data: Any) -> None:
    """A declaration is read exactly where nothing is wrong, what must be declared and rules between fields included."""
    settings = described(model)
    names = st.sampled_from([*settings, "no_setting"])
    values = {name: data.draw(st.sampled_from(DECLARED[name])) for name in data.draw(st.sets(names))}
    unknown = data.draw(st.sets(st.sampled_from([*settings])))
    known = {name: [*one] if isinstance(one, LISTS) else one for name, one in values.items() if one is not None}
    known = {name: one for name, one in known.items() if name not in unknown}
    expected = [name for name, one in settings.items() if one.required and name not in {*known, *unknown}]
    expected += [problem.field for problem in problems_with(settings, known)]
    expected += [problem.field for problem in model.problems_between(known, unknown)]
    try:
        made = load(model, values, unknown=unknown)
    except SettingsError as error:
        assert [problem.field for problem in error.problems] == expected
        assert expected
    else:
        assert not expected
        again = {name: one for name, one in made.as_inputs().items() if name in settings}
        assert made == load(model, again, unknown=unknown)


@pytest.mark.parametrize("model", MODELS)
def test_what_is_left_out_is_as_described(model: Any) -> None:
    """A default follows the rules of its own field, and stack configuration has one key for each setting."""
    for name, one in described(model).items():
        assert one.required or one.default is None or one.fits(one.default), name
    assert len({one.key for one in described(model).values()}) == len(described(model))


NOTHING_CHANGED = f"""
import sys
from codat_zoho.provider import Books, ZohoClient
for provider, declared in (
    (ZohoClient(), {{"client_id": {ID!r}, "client_secret": {SECRET!r}, "regions": ["us", "eu"]}}),
    (Books(), {{"client_id": {ID!r}, "client_secret": {SECRET!r}, "enabled": True}}),
):
    olds = {{"client_secret_fingerprint": "x", "verify": "on-change", "same_credentials_everywhere": True}}
    olds |= {{"connection": "default", "on_delete": "remove", "allow_disruption": False}} | declared
    olds["regions"] = ["eu", "us"]
    inputs = provider.check(olds, declared).inputs
    assert provider.diff("x", inputs, inputs).changes is False
print(sorted({{"pydantic", "httpx", "codat_zoho.remote.codat", "codat_zoho.remote.http"}} & set(sys.modules)))
"""
READ = f"""
import sys
from codat_zoho.provider.process import CONTEXT
from codat_zoho.provider import Books, ZohoClient
from codat_zoho.simulator import Simulator, serve
import os
simulator = Simulator()
simulator.add_codat_client("api-key")
with serve(simulator) as base:
    os.environ |= {{"CODAT_URL": base + "/codat", "CODAT_API_KEY": "api-key"}}
    assert Books().read("default", {{"enabled": False, "connection": "default"}}).id == "default"
    assert ZohoClient().read({ID!r}, {{"client_id": {ID!r}, "regions": ["us"]}}).id == {ID!r}
    CONTEXT.http.close()
print(sorted({{"pydantic", "codat_zoho.remote.converge"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("code", [NOTHING_CHANGED, READ], ids=["nothing changed", "read"])
def test_what_is_not_needed_is_not_loaded(code: str) -> None:
    """Each run starts a provider process: what it loads is what an ``up`` without changes waits for."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
