"""The simulator against Codat's own descriptions, an independent client, and what the real API would refuse."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from codat_zoho.simulator import Fault, Simulator, Switches, serve
from tests.support import API_KEY, HEADERS, ID, OTHER_SECRET, SECRET, keys

SPECS = Path(os.environ.get("CODAT_SPECS", Path(__file__).resolve().parent.parent.parent / "shared" / "specs"))
PLATFORM, PARTNERS = SPECS / "codat-platform.openapi.json", SPECS / "codat-partners.openapi.json"
needs_specs = pytest.mark.skipif(
    not PLATFORM.exists(), reason="Codat's OpenAPI files are not here; set CODAT_SPECS to the folder that holds them"
)


@pytest.fixture
def base(simulator: Simulator) -> Iterator[str]:
    """The simulator behind a socket."""
    with serve(simulator) as address:
        yield address


# --- as Codat describes itself ---


def schema_of(path: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return {**document, "$ref": f"#/components/schemas/{name}"}


@needs_specs
@pytest.mark.parametrize("switches", [Switches(), Switches(mask="opaque", linked_count=False, mask_client_id=False)])
def test_answers_have_the_published_shape(simulator: Simulator, codat: httpx.Client, switches: Switches) -> None:
    """Every answer validates against the schema that Codat publishes for it."""
    simulator.switches = switches
    simulator.codat[API_KEY].linked = 2
    for schema, answer in (
        (schema_of(PLATFORM, "Integration"), codat.get("/integrations/rwuv")),
        (schema_of(PLATFORM, "Integrations"), codat.get("/integrations")),
        (schema_of(PLATFORM, "Companies"), codat.get("/companies", params={"page": 1, "pageSize": 2})),
        (schema_of(PARTNERS, "IntegrationCredentials"), codat.put("/integrations/credentials/rwuv", json=keys())),
        (schema_of(PARTNERS, "IntegrationCredentials"), codat.get("/integrations/credentials/rwuv")),
        (schema_of(PARTNERS, "IntegrationCredentials"), codat.delete("/integrations/credentials/rwuv")),
        (schema_of(PLATFORM, "Integration"), codat.put("/integrations/rwuv/enabled", json={"enabled": True})),
    ):
        assert answer.status_code == 200
        jsonschema.validate(answer.json(), schema)
    for answer in (codat.get("/integrations/gbol"), codat.get("/companies", headers={"Authorization": "Basic x"})):
        assert answer.status_code in (401, 404)
        jsonschema.validate(answer.json(), schema_of(PLATFORM, "ErrorMessage"))


_COMPANY = "/companies/{companyId}"
_CONNECTION = f"{_COMPANY}/connections/{{connectionId}}"


@pytest.mark.slow
@needs_specs
@pytest.mark.parametrize(
    ("document", "calls"),
    [
        (PLATFORM, {"/companies": "get post", "/integrations": "get", "/integrations/{platformKey}": "get"}),
        (PLATFORM, {_COMPANY: "get delete", f"{_COMPANY}/dataStatus": "get", f"{_COMPANY}/connections": "get post"}),
        (PLATFORM, {_CONNECTION: "get patch delete"}),
        (PARTNERS, {"/integrations/credentials/{platformKey}": "get put delete"}),
    ],
    ids=["platform", "companies", "connections", "partners"],
)
def test_schemathesis(simulator: Simulator, base: str, document: Path, calls: dict[str, str]) -> None:
    """Generated requests get answers that the description allows, and never a failure of the server.

    The Partners file describes nothing but 200, and the Platform file contradicts itself on the largest page, so only
    the shape of what is described is compared, and not which status a strange request deserves.
    """
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance

    raw = json.loads(document.read_text())
    raw["paths"] = {
        path: {verb: part for verb, part in raw["paths"][path].items() if verb in ("parameters", *verbs.split())}
        for path, verbs in calls.items()
    }
    operations = [found.ok() for found in schemathesis.openapi.from_dict(raw).get_all_operations()]
    assert len(operations) == sum(len(verbs.split()) for verbs in calls.values())
    simulator.daily_limit = simulator.minute_limit = 10_000
    client = simulator.codat[API_KEY]
    answered: dict[str, set[int]] = {}
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=25, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            client.linked = 0
            client.linked = 1
            company = list(client.companies.values())[-1]
            known = {"platformKey": "rwuv", "companyId": company.id, "connectionId": next(iter(company.connections))}
            for part in (case.path_parameters, case.body):
                if isinstance(part, dict):  # What is generated would be found nowhere.
                    part.update({name: known[name] for name in part if name in known})
            answer = case.call(base_url=f"{base}/codat", headers=HEADERS)
            case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
            answered.setdefault(case.operation.label, set()).add(answer.status_code)

        check()
        assert answered[operation.label] & {200, 204}, operation.label


def test_the_official_sdk_reads_it(simulator: Simulator, base: str) -> None:
    """Codat's own Python client, which knows nothing of this package, understands the simulator."""
    from codat_platform import CodatPlatform
    from codat_platform.models import errors, operations, shared
    from codat_platform.utils import RetryConfig

    simulator.codat[API_KEY].linked = 3
    simulator.codat[API_KEY].integration.enabled = True
    with httpx.Client() as client:
        platform = CodatPlatform(
            security=shared.Security(auth_header=HEADERS["Authorization"]),
            server_url=f"{base}/codat",
            client=client,
            retry_config=RetryConfig("none", None, False),
        )
        integration = platform.integrations.get(request=operations.GetIntegrationRequest(platform_key="rwuv"))
        assert (integration.key, integration.name, integration.enabled) == ("rwuv", "Zoho Books", True)
        listed = platform.integrations.list(request=operations.ListIntegrationsRequest(page=1, page_size=10))
        assert [one.key for one in listed.results] == ["rwuv"]
        companies = platform.companies.list(request=operations.ListCompaniesRequest(page=1, page_size=100))
        statuses = [company.data_connections[0].status.value for company in companies.results]
        assert (statuses.count("Linked"), statuses.count("Deauthorized")) == (4, 1)
        with pytest.raises(errors.ErrorMessage):
            platform.integrations.get(request=operations.GetIntegrationRequest(platform_key="gbol"))


def test_the_official_sdk_links_a_company(simulator: Simulator, base: str) -> None:
    """Codat's own client goes the whole way: company, connection, link, status, data status, deletion."""
    from codat_platform import CodatPlatform
    from codat_platform.models import errors, operations, shared
    from codat_platform.utils import RetryConfig

    simulator.switches.data_arrives = False
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    with httpx.Client() as http:
        platform = CodatPlatform(
            security=shared.Security(auth_header=HEADERS["Authorization"]),
            server_url=f"{base}/codat",
            client=http,
            retry_config=RetryConfig("none", None, False),
        )
        company = platform.companies.create(request=shared.CompanyRequestBody(name="A test"))
        created = platform.connections.create(
            request=operations.CreateConnectionRequest(
                company_id=company.id, request_body=operations.CreateConnectionRequestBody(platform_key="rwuv")
            )
        )
        which: dict[str, str] = {"company_id": company.id, "connection_id": created.id}
        assert (created.status.value, created.link_url.startswith(base)) == ("PendingAuth", True)
        assert control(base, "POST", "/link", {"outcome": "consent"}).json()["outcome"] == "linked"
        assert platform.connections.get(request=operations.GetConnectionRequest(**which)).status.value == "Linked"
        listed = platform.connections.list(request=operations.ListConnectionsRequest(company_id=company.id))
        assert [one.id for one in listed.results] == [created.id] and client.linked == 1
        about = operations.GetCompanyDataStatusRequest(company_id=company.id)
        assert platform.refresh_data.get(request=about).invoices.current_status.value == "Queued"
        control(base, "POST", "/data", {"dataTypes": ["invoices"]})
        assert platform.refresh_data.get(request=about).invoices.current_status.value == "Complete"
        unlink = shared.UpdateConnectionStatus(status=shared.DataConnectionStatus.UNLINKED)
        unlinked = platform.connections.unlink(
            request=operations.UnlinkConnectionRequest(**which, update_connection_status=unlink)
        )
        assert (unlinked.status.value, client.linked) == ("Unlinked", 0)
        platform.connections.delete(request=operations.DeleteConnectionRequest(**which))
        platform.companies.delete(request=operations.DeleteCompanyRequest(company_id=company.id))
        with pytest.raises(errors.ErrorMessage):
            platform.companies.get(request=operations.GetCompanyRequest(company_id=company.id))


# --- as strict as the real one ---


@pytest.mark.parametrize(
    "header",
    [
        "",
        API_KEY,
        f"Basic {API_KEY}",
        f"Basic {base64.b64encode(f'{API_KEY}:'.encode()).decode()}",
        f"Bearer {base64.b64encode(API_KEY.encode()).decode()}",
    ],
)
def test_another_form_of_authorization_is_refused(base: str, header: str) -> None:
    """Base64 of the bare key and nothing else; ordinary Basic authentication, with a colon, is wrong."""
    assert httpx.get(f"{base}/codat/integrations/rwuv", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"clientId": ID, "clientSecret": "XXXXXXXXc0de"},
        {"clientId": ID, "clientSecret": "********"},
        {"clientId": ID, "clientSecret": f"{SECRET} "},
        {"clientId": ID, "clientSecret": ""},
        {"clientId": 5},
        {},
        [],
        "text",
    ],
)
def test_keys_that_are_none_are_refused(simulator: Simulator, codat: httpx.Client, body: object) -> None:
    """A mask that is written back is the classic mistake; spaces are Codat's own warning."""
    assert codat.put("/integrations/credentials/rwuv", json=body).status_code == 400
    assert simulator.codat[API_KEY].integration.keys == {}
    assert codat.put("/integrations/credentials/rwuv", content=b"{}").status_code == 400
    assert (
        codat.put(
            "/integrations/credentials/rwuv", content=b"{", headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_other_requests_that_are_refused(base: str, codat: httpx.Client) -> None:
    """Unknown paths, wrong methods, wrong bodies, wrong pages, other integrations."""
    assert codat.put("/integrations/rwuv/enabled", json={"enabled": "yes"}).status_code == 400
    assert codat.put("/integrations/rwuv/enabled", json={"enabled": True, "more": 1}).status_code == 400
    assert codat.patch("/integrations/rwuv").status_code == 405
    assert codat.get("/integrations/rwuv/enabled").status_code == 405
    assert codat.get("/nothing").status_code == 404
    assert codat.get("/integrations/gbol").status_code == 404
    for query in ({"page": 0}, {"pageSize": 5000}, {"page": "x"}):
        assert codat.get("/companies", params=query).status_code == 400
    assert httpx.get(f"{base}/elsewhere").status_code == 404


def test_zoho_is_strict(base: str) -> None:
    """Secrets in the query string, other grants, unknown data centres."""
    url = f"{base}/zoho/us/oauth/v2/token"
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": ID, "client_secret": SECRET}
    assert httpx.post(url, data=form).json() == {"error": "invalid_code"}
    assert httpx.post(url, params=form).status_code == 400
    assert httpx.post(url, data=form | {"grant_type": "client_credentials"}).status_code == 400
    assert httpx.post(url, data={"grant_type": "refresh_token"}).status_code == 400
    assert httpx.get(url).status_code == 404
    assert httpx.post(f"{base}/zoho/cn/oauth/v2/token", data=form).status_code == 404


# --- limits, pages, faults ---


@pytest.mark.parametrize("length", ["abc", "-5", "+1", ""])
def test_a_length_that_is_none(base: str, length: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It is answered like a request without a body, and prints nothing."""
    authorization = HEADERS["Authorization"]
    request = (
        "PUT /codat/integrations/rwuv/enabled HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "LOCALHOST:1"}, 200),
        ({"Host": "[::1]:8765"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8765"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8765"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/_control/calls", "/codat/companies", "/zoho/us/oauth/v2/token"])
def test_no_page_in_a_browser_gets_in(
    simulator: Simulator, base: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Not from another site, nor by a name that was made to mean this machine: nothing happens, nothing is told."""
    answer = httpx.delete(base + path, headers=headers)
    assert (answer.status_code == 403) is (status == 403)
    assert bool(simulator.calls) is (status == 200 and "_control" not in path)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("length", ["1048577", "9" * 5000])
def test_a_body_has_a_limit(simulator: Simulator, base: str, length: str) -> None:
    """It is refused for its length alone, and the connection is closed; so are endless headers."""
    port = int(base.rpartition(":")[2])
    for more, status in ((f"Content-Length: {length}\r\n\r\n", b"413"), ("X: x\r\n" * 200, b"431")):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"PUT /_control/codat HTTP/1.1\r\nHost: localhost\r\n{more}".encode())
            with connection.makefile("rb") as answer:
                assert answer.readline().split()[1] == status
                assert answer.read() is not None, "it ends"


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"X": "a\r\nSet-Cookie: b"}},
        {"headers": {"X": "a\nb"}},
        {"headers": {"X\r\nY": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"X": "\u2028"}},
        {"content_type": "text/html\r\n\r\n<script>"},
        {"headers": {"content-length": "1"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"status": 7},
        {"status": 101},
    ],
)
def test_a_fault_cannot_split_an_answer(simulator: Simulator, base: str, wrong: dict[str, Any]) -> None:
    """What would end a header, or be none, is refused when the fault is injected, with the reason."""
    answer = control(base, "POST", "/faults", wrong)
    assert answer.status_code == 400 and answer.json()["error"]
    assert not simulator.faults
    with pytest.raises(ValueError, match=r"header|status"):
        Fault(**wrong)


def test_an_injected_body_does_nothing_in_a_browser(simulator: Simulator, codat: httpx.Client) -> None:
    """No guessing of its type, and nothing in it runs."""
    simulator.fail(Fault(body=b"<script>", content_type="text/html"))
    headers = codat.get("/companies").headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Security-Policy"].startswith("sandbox")
    simulator.fail(Fault(body=b"<script>"))
    assert codat.get("/companies").headers["Content-Type"] == "application/json"


def test_no_fault_takes_the_guards_away(simulator: Simulator, codat: httpx.Client) -> None:
    """Whatever the case in which it names them, each is there once, with the simulator's value."""
    off = {"x-content-type-options": "x", "CONTENT-SECURITY-POLICY": "default-src *", "Content-Security-Policy": ""}
    simulator.fail(Fault(body=b"<script>", content_type="text/html", headers=off))
    headers = codat.get("/companies").headers
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_list("Content-Security-Policy") == ["sandbox; default-src 'none'"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_body_ends_with_its_answer(simulator: Simulator, base: str, method: str, status: int) -> None:
    """Where none belongs, none is sent: the client would take it for the next answer on the connection."""
    simulator.fail(Fault(status=status, body=b"HTTP/1.1 200 OK\r\n\r\n"))
    with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as connection:
        connection.sendall(
            f"{method} /codat/companies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        with connection.makefile("rb") as answer:
            _, _, body = answer.read().partition(b"\r\n\r\n")
    assert bool(body) is (method == "GET" and status == 200)


def test_the_name_service_is_not_asked(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes beyond this machine, not even a question for its own name."""
    monkeypatch.setattr("socket.getfqdn", lambda _: pytest.fail("the name service was asked"))
    with serve(simulator) as served:
        assert httpx.get(f"{served}/codat/companies", headers=HEADERS).status_code == 200


def test_limits_are_on_every_answer(simulator: Simulator, codat: httpx.Client) -> None:
    """X-Rate-Limit-* as documented, counting down to the next midnight."""
    simulator.clock = lambda: 1_767_312_000.0 - 1
    first, second = codat.get("/integrations/rwuv"), codat.get("/integrations/rwuv")
    assert int(first.headers["X-Rate-Limit-Remaining"]) == int(second.headers["X-Rate-Limit-Remaining"]) + 1
    assert first.headers["X-Rate-Limit-Limit"] == "1000"
    assert first.headers["X-Rate-Limit-Reset"] == "2026-01-02T00:00:00Z"


def test_paths_as_the_real_one_takes_them(codat: httpx.Client) -> None:
    """A slash at the end, a platform key in capitals."""
    for path in ("/integrations/rwuv/", "/integrations/RWUV", "/integrations/credentials/Rwuv", "/companies/"):
        assert codat.get(path).status_code == 200, path
    assert codat.put("/integrations/RWUV/enabled/", json={"enabled": True}).json()["enabled"] is True


@pytest.mark.parametrize("name", ["query", "orderBy", "tags", "ORDERBY", "pageNumber"])
@pytest.mark.parametrize("path", ["/companies", "/integrations"])
def test_what_is_not_heeded_is_refused(codat: httpx.Client, path: str, name: str) -> None:
    """A filter that was ignored would let a program that is wrong look right."""
    answer = codat.get(path, params={name: "name=x"})
    assert answer.status_code == 400 and name in answer.json()["error"]
    assert codat.get(path, params={name: ""}).status_code == 400


def test_names_in_a_query_are_taken_in_any_case(codat: httpx.Client) -> None:
    """A page that was asked for in another spelling is that page, and an empty number is none."""
    assert codat.get("/companies", params={"PAGE": 2, "pagesize": 1}).json()["pageNumber"] == 2
    assert codat.get("/companies", params={"page": ""}).status_code == 400


def test_values_are_those_that_codat_names(codat: httpx.Client) -> None:
    """In the newest description and in the older ones, which companies' ``platform`` comes from."""
    environments = {"Unknown", "SandboxOnly", "LiveOnly", "LiveAndSandbox"}
    assert codat.get("/integrations/rwuv").json()["supportedEnvironments"] in environments
    assert {one["platform"] for one in codat.get("/companies").json()["results"]} == {"Zoho Books", "Xero"}


def test_pages_link_to_each_other(simulator: Simulator, codat: httpx.Client) -> None:
    """The envelope of lists."""
    simulator.codat[API_KEY].linked = 3
    page = codat.get("/companies", params={"page": 2, "pageSize": 2}).json()
    assert (len(page["results"]), page["totalResults"], page["pageNumber"]) == (2, 5, 2)
    assert set(page["_links"]) == {"self", "current", "next", "previous"}


def test_faults(simulator: Simulator, codat: httpx.Client) -> None:
    """A status, a body, a cut connection before and after the deed; as often as asked, and not before."""
    simulator.fail(Fault(status=503, skip=1, headers={"Retry-After": "1"}))
    assert codat.get("/integrations/rwuv").status_code == 200
    answer = codat.get("/integrations/rwuv")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    simulator.fail(Fault(status=599))
    assert codat.get("/integrations/rwuv").status_code == 599
    simulator.fail(Fault(body=b"<html>", content_type="text/html"))
    assert codat.get("/integrations/rwuv").text == "<html>"
    simulator.fail(Fault(method="PUT", drop=True))
    with pytest.raises(httpx.TransportError):
        codat.put("/integrations/rwuv/enabled", json={"enabled": True})
    assert not simulator.codat[API_KEY].integration.enabled
    simulator.fail(Fault(method="PUT", drop=True, after=True))
    with pytest.raises(httpx.TransportError):
        codat.put("/integrations/rwuv/enabled", json={"enabled": True})
    assert simulator.codat[API_KEY].integration.enabled
    simulator.fail(Fault(method="PUT", status=500, after=True))
    assert codat.put("/integrations/rwuv/enabled", json={"enabled": False}).status_code == 500
    assert not simulator.codat[API_KEY].integration.enabled
    assert codat.get("/integrations/rwuv").status_code == 200


def test_the_log_holds_no_secret(simulator: Simulator, codat: httpx.Client, base: str) -> None:
    """Neither keys nor secrets are kept of what came in."""
    codat.put("/integrations/credentials/rwuv", json=keys())
    httpx.post(
        f"{base}/zoho/us/oauth/v2/token",
        data={"grant_type": "refresh_token", "refresh_token": "x", "client_id": ID, "client_secret": SECRET},
    )
    text = (
        repr(simulator.calls) + str([str(call) for call in simulator.calls]) + httpx.get(f"{base}/_control/calls").text
    )
    assert "save keys" in text
    for secret in (SECRET, API_KEY, HEADERS["Authorization"]):
        assert secret not in text
        assert (
            secret
            not in repr(list(simulator.codat.values()))
            + repr(simulator.zoho)
            + httpx.get(f"{base}/_control/state").text
        )


# --- the control interface ---


def control(base: str, method: str, path: str, body: object = None) -> httpx.Response:
    """A control request."""
    return httpx.request(method, f"{base}/_control{path}", json=body)


def test_the_control_interface(simulator: Simulator, base: str, codat: httpx.Client) -> None:
    """Everything a person does in the Portal and the console can be done over HTTP, and shows."""
    put = {
        "apiKey": API_KEY,
        "enabled": True,
        "clientId": ID,
        "clientSecret": OTHER_SECRET,
        "linked": 2,
        "offered": True,
    }
    assert control(base, "PUT", "/codat", put).status_code == 200
    assert codat.get("/integrations/rwuv").json()["linkedConnectionsCount"] == 2
    assert control(base, "PUT", "/codat", {"apiKey": API_KEY, "clientSecret": None}).status_code == 200
    assert simulator.codat[API_KEY].integration.keys == {"clientId": ID}
    assert control(base, "PUT", "/codat", {"apiKey": "a-new-client"}).status_code == 200
    assert "a-new-client" in simulator.codat
    zoho = {"clientId": "1000.NEW", "secret": SECRET, "enabled": ["us"], "sameCredentials": False, "throttled": ["eu"]}
    assert control(base, "PUT", "/zoho", zoho).status_code == 200
    assert simulator.zoho["1000.NEW"].throttled == {"eu"}
    assert control(base, "PUT", "/switches", {"mask": "opaque"}).json()["mask"] == "opaque"
    assert control(base, "POST", "/faults", {"status": 500, "path": "/codat", "body": "oops"}).status_code == 200
    assert codat.get("/integrations/rwuv").text == "oops"
    control(base, "POST", "/faults", {"status": 500, "times": -1})
    control(base, "DELETE", "/faults")
    assert codat.get("/integrations/rwuv").status_code == 200
    assert control(base, "GET", "/state").json()["zoho"][1]["secret"] == f"ends in {SECRET[-4:]}"
    told = control(base, "GET", "/state").json()["codat"]
    assert [one["apiKey"] for one in told] == [f"ends in {API_KEY[-4:]}", "ends in ient"], "which client is which"
    assert len(control(base, "GET", "/calls").json()) == 3
    control(base, "DELETE", "/calls")
    assert control(base, "GET", "/calls").json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "why"),
    [
        ("PUT", "/switches", {"msk": "opaque"}, "no such field: msk; there are absent_keys, "),
        ("PUT", "/switches", {"mask": "opaqe"}, "mask must be 'last4' or 'opaque'"),
        ("PUT", "/switches", {"mask": ["last4"]}, "mask must be 'last4' or 'opaque'"),
        ("PUT", "/switches", {"mask": "opaque", "linked_count": 1}, "linked_count must be true or false"),
        ("PUT", "/codat", {"apiKey": API_KEY, "enabled": True, "enbled": True}, "no such field: enbled"),
        ("PUT", "/codat", {"enabled": True}, "apiKey is missing"),
        ("PUT", "/codat", {"apiKey": API_KEY, "linked": 3, "enabled": "yes"}, "enabled must be true or false"),
        ("PUT", "/codat", {"apiKey": API_KEY, "clientId": 7}, "clientId must be a text or null"),
        ("PUT", "/codat", {"apiKey": API_KEY, "linked": True}, "linked must be a whole number"),
        ("PUT", "/codat", {"apiKey": API_KEY, "linked": -1}, "linked must not be negative"),
        ("PUT", "/codat", {"apiKey": API_KEY, "linked": 10**9}, "linked must be at most 100000"),
        ("PUT", "/zoho", {"clientId": ID, "redirectUris": "https://x"}, "redirectUris must be a list of texts"),
        ("POST", "/link", {"outcome": "lnked"}, "outcome must be 'consent' or 'refused'"),
        ("POST", "/link", {"outcome": "consent", "dataCentre": "cn"}, "no such data centre: cn; there are ae, "),
        ("POST", "/link", {"outcome": "consent"}, "no connection was created"),
        ("POST", "/link", {"outcome": "consent", "connectionId": "x"}, "there is no such connection"),
        ("POST", "/data", {"dataTypes": ["invoice"]}, "no such data type: invoice; there are company, "),
        ("POST", "/data", {"currentStatus": "Done"}, "currentStatus must be 'Initial' or 'Queued'"),
        ("PUT", "/zoho", {"clientId": ID, "enabled": ["us", "xx"]}, "no such data centre: xx; there are ae, "),
        ("PUT", "/zoho", {"clientId": ID, "enabled": [1]}, "enabled must be a list of texts"),
        ("POST", "/faults", {"status": "500"}, "status must be a whole number or null"),
        ("POST", "/faults", {"headers": {"a": 1}}, "headers must be a map of texts"),
        ("POST", "/faults", {"delay": "1"}, "delay must be a number"),
        ("PUT", "/zoho", [], "must be a JSON object"),
        ("POST", "/faults", {"sttus": 1}, "sttus"),
        ("GET", "/nowhere", None, "unknown control path"),
    ],
)
def test_a_wrong_control_request_says_why(base: str, method: str, path: str, body: object, why: str) -> None:
    """A typo, in a name or in a value, is answered with the reason, and changes nothing."""
    before = control(base, "GET", "/state").text
    answer = control(base, method, path, body)
    assert answer.status_code in (400, 404)
    assert why in answer.json()["error"]
    assert control(base, "GET", "/state").text == before
