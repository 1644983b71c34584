"""While nothing changed, no model is loaded to validate it, and the answer is the same as if one were."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.declare.rules import INTEGRATION, ZOHO_CLIENT
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings
from codat_zoho.provider import books as integration
from codat_zoho.provider import client
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET

MASK = "*" * 31 + ID[-4:]
# None is left out. Few values, so that two declarations are often alike; some are against the rules.
DECLARED = {
    "client_id": (ID, ID, OTHER_ID, MASK, None, 1),
    "client_secret": (SECRET, SECRET, OTHER_SECRET, ID, None),
    "regions": (["us"], ["us", "eu"], ["eu", "us", "us"], ("us",), [], ["gb"], [1, "us"], None),
    "same_credentials_everywhere": (True, False, 1, None),
    "verify": ("on-change", "always", "never", None),
    "enabled": (True, False, 1, 1.0, None),
    "connection": ("default", "b", "B", None),
    "on_delete": ("remove", "keep", None),
    "allow_disruption": (True, False, 0, None),
}
# What a refresh may have put into the recorded inputs.
FOUND = {
    "client_id": (MASK, None),
    "client_secret_fingerprint": ("differs (ends in c0de)", "none stored"),
    "enabled": (False,),
    "regions": (["us"], []),
}


def _some(of: dict[str, tuple[Any, ...]], names: Any) -> Any:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(of[name]) for name in names if name in of})


def _same(check: Any, olds: dict[str, Any], news: dict[str, Any]) -> None:
    quick, slow = check(olds, news), check({}, news)
    assert quick.inputs == slow.inputs
    assert [failure.reason for failure in quick.failures or []] == [failure.reason for failure in slow.failures or []]
    assert all(type(value) is type(slow.inputs[name]) for name, value in quick.inputs.items())


@pytest.mark.parametrize(("fields", "check"), [(ZOHO_CLIENT, client.check), (INTEGRATION, integration.check)])
@given(data=st.data())
def test_the_quick_check_says_what_the_model_says(fields: Any, check: Any, data: Any) -> None:
    """Whatever was declared before, and whatever a refresh found since: the same inputs, or the same problems."""
    before = check({}, data.draw(_some(DECLARED, fields)))
    olds = {} if before.failures else before.inputs | data.draw(_some(FOUND, {*before.inputs} & {*FOUND}))
    olds = {name: value for name, value in olds.items() if value is not None}
    changed = data.draw(st.sampled_from([None, *fields]))
    news = {name: olds.get(name) for name in fields}
    _same(check, olds, news | ({changed: data.draw(st.sampled_from(DECLARED[changed]))} if changed else {}))


WHOLE = {
    "client_id": ID,
    "client_secret": SECRET,
    "client_secret_fingerprint": "differs (ends in c0de)",
    "enabled": True,
    "connection": "default",
    "on_delete": "remove",
    "allow_disruption": False,
}


@pytest.mark.parametrize(
    ("olds", "news"),
    [
        ({}, {"enabled": True}),
        ({}, {"enabled": True, "on_delete": "keep"}),
        ({}, {"enabled": 1}),
        ({}, {"enabled": None}),
        ({"client_id": MASK}, {"client_id": MASK, "enabled": True}),
        ({"client_id": None}, {"client_id": None, "enabled": True}),
        ({"enabled": False}, {"enabled": True}),
    ],
    ids=str,
)
def test_after_a_refresh(olds: dict[str, Any], news: dict[str, Any]) -> None:
    """A mask is refused also where it stands already, a secret without an id too; a fingerprint is made anew."""
    recorded = {name: value for name, value in (WHOLE | olds).items() if value is not None}
    declared = {"client_id": ID, "client_secret": SECRET} | news
    _same(integration.check, recorded, {name: value for name, value in declared.items() if value is not None})


def test_what_must_be_declared_is_missed_although_nothing_changed() -> None:
    """A refresh may have taken the client id out of what is on record, so that what is declared looks the same."""
    _same(
        client.check,
        {"regions": ["us"], "verify": "on-change", "same_credentials_everywhere": True},
        {"regions": ["us"]},
    )


@pytest.mark.parametrize(("fields", "model"), [(ZOHO_CLIENT, ZohoClientSettings), (INTEGRATION, IntegrationSettings)])
def test_the_fields_are_those_of_the_model(fields: Any, model: Any) -> None:
    """One list of fields and defaults holds for both."""
    left_out = {name: None if name in model.required else field.default for name, field in model.model_fields.items()}
    assert dict(fields) == left_out


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
print(sorted({{"pydantic", "httpx", "codat_zoho.core.plan", "codat_zoho.remote.codat", "codat_zoho.remote.http"}} & set(sys.modules)))
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
print(sorted({{"pydantic", "codat_zoho.core.plan"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("code", [NOTHING_CHANGED, READ], ids=["nothing changed", "read"])
def test_what_is_not_needed_is_not_loaded(code: str) -> None:
    """Each run starts a provider process: what it loads is what an ``up`` without changes waits for."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
