"""A drift report as one self-contained page: environments by settings at a glance, then the details.

It needs no network and no script, follows the reader's light or dark setting, and is usable with a keyboard and a
screen reader: every state is a word, not only a colour, and every cell that needs attention links to its details.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from codat_zoho.drift.report import (
    HOW,
    Finding,
    Report,
    Resource,
    Stack,
    State,
    about,
    by_severity,
    fields_of,
    nothing,
    said,
)
from codat_zoho.drift.report import worst as worst_of

_CLASS = {
    State.ERROR: "error",
    State.DRIFT: "drift",
    State.CANNOT_TELL: "untold",
    State.NOT_DEPLOYED: "untold",
    State.AS_DECLARED: "fine",
    State.NOTHING: "none",
}
_SIGN = {
    State.ERROR: "✖",
    State.DRIFT: "▲",
    State.CANNOT_TELL: "?",
    State.NOT_DEPLOYED: "○",
    State.AS_DECLARED: "✔",
    State.NOTHING: "–",
}

_STYLE = """
:root { color-scheme: light dark;
  --text: #1b1f24; --page: #ffffff; --soft: #f3f5f7; --line: #d0d7de; --quiet: #57606a; --link: #0550ae;
  --error: #a40e26; --error-page: #ffebe9; --drift: #7a4100; --drift-page: #fff1d6; --untold: #0b4a8f;
  --untold-page: #e3f0ff; --fine: #116329; --fine-page: #e6f6ea; }
@media (prefers-color-scheme: dark) { :root {
  --text: #e6edf3; --page: #0d1117; --soft: #161b22; --line: #3d444d; --quiet: #9da7b1; --link: #79b8ff;
  --error: #ffb3ad; --error-page: #4a1519; --drift: #f5c97a; --drift-page: #3d2a06; --untold: #a5d0ff;
  --untold-page: #0f2d50; --fine: #8ddb9f; --fine-page: #10331b; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: .4rem 0; } .quiet { color: var(--quiet); }
a { color: var(--link); } a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--page); padding: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .5rem; color: var(--quiet); }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); } tbody th { font-weight: 600; white-space: nowrap; }
td { min-width: 6rem; max-width: 11rem; overflow-wrap: anywhere; font-size: .95rem; }
td a { color: inherit; }
.state { font-weight: 600; white-space: nowrap; }
.error { color: var(--error); background: var(--error-page); }
.drift { color: var(--drift); background: var(--drift-page); }
.untold { color: var(--untold); background: var(--untold-page); }
.fine { color: var(--fine); background: var(--fine-page); }
.none { color: var(--quiet); }
.tag { display: inline-block; border-radius: .3rem; padding: 0 .5rem; }
section.stack { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; }
dl { margin: .6rem 0; border-left: .25rem solid var(--line); padding-left: .8rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .5rem .7rem; overflow-x: auto; margin: .3rem 0; }
"""


def html(report: Report) -> str:
    """Draw a report as an HTML page."""
    stacks = by_severity(report)
    details = [
        block for number, stack in enumerate(stacks) if _wants_details(stack) for block in _details(number, stack)
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # Nothing on the page may load anything, whatever a name in it says.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>Drift of Codat and Zoho: {escape(report.to_words())}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#details">Skip to the details</a>',
            "<main>",
            "<h1>Drift of Codat and Zoho</h1>",
            f"<p><strong>{escape(report.to_words())}.</strong></p>",
            f'<p class="quiet">Checked <time datetime="{report.started}">{_when(report.started)}</time> in '
            f"{report.seconds:.1f} s; {report.zoho}. codat-zoho {escape(report.version)}.</p>",
            *(f"<p>{escape(note)}</p>" for note in report.notes),
            *_table(report, stacks),
            '<h2 id="details">Details</h2>',
            *(details or ["<p>Everything that was checked is as declared.</p>"]),
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )


def _when(text: str) -> str:
    return escape(text.replace("T", " ").replace("Z", " UTC"))


def _tag(state: State) -> str:
    return (
        f'<span class="state tag {_CLASS[state]}"><span aria-hidden="true">{_SIGN[state]} </span>{state.value}</span>'
    )


# --- the table --------------------------------------------------------------------------------------------------------


def _table(report: Report, stacks: list[Stack]) -> Iterable[str]:
    fields = fields_of(report)
    yield "<h2>Environments and settings</h2>"
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Environments and settings">'
    yield "<table>"
    yield "<caption>Each cell says how a setting stands in an environment; a dash: not declared there.</caption>"
    clients = any(resource.codat_client for stack in stacks for resource in stack.resources)
    heads = '<th scope="col">Codat client</th>' * clients
    heads += "".join(f'<th scope="col">{_head(name)}</th>' for name in fields)
    yield f'<thead><tr><th scope="col">Environment</th><th scope="col">Together</th>{heads}</tr></thead>'
    yield "<tbody>"
    for number, stack in enumerate(stacks):
        title = escape(stack.title)
        name = f'<a href="#stack-{number}">{title}</a>' if _wants_details(stack) else title
        cells = _codat_client(stack) if clients else ""
        cells += "".join(_cell(number, stack, field) for field in fields)
        yield f'<tr><th scope="row">{name}</th>{_together(stack)}{cells}</tr>'
    yield "</tbody></table></div>"


def _head(name: str) -> str:
    if name.startswith("regions."):
        return f"Zoho {escape(name.removeprefix('regions.'))}"
    return escape(name.replace("_", " ").capitalize())


def _together(stack: Stack) -> str:
    return f'<td class="none">{escape(nothing(stack))}</td>' if stack.empty else _state_cell(stack.state, "")


def _codat_client(stack: Stack) -> str:
    if not stack.codat_clients:
        return '<td class="none">–</td>'
    names = {one.codat_client: one.codat_client_name for one in stack.resources}
    shown = [
        "<br>".join(filter(None, [escape(names[id_] or ""), f'<span class="quiet">{escape(id_)}</span>']))
        for id_ in stack.codat_clients
    ]
    return f"<td>{'<br>'.join(shown)}</td>"


def _state_cell(state: State, target: str, more: str = "") -> str:
    words = f'<span aria-hidden="true">{_SIGN[state]} </span>{state.value}'
    if target:
        words = f'<a href="#{target}">{words}</a>'
    return f'<td class="{_CLASS[state]}"><span class="state">{words}</span>{more}</td>'


def _cell(number: int, stack: Stack, field: str) -> str:
    found = [
        (index, finding)
        for index, resource in enumerate(stack.resources)
        for finding in resource.findings
        if finding.field == field
    ]
    if not found:
        # What could not be read has no settings to show, and a dash would look like "not declared".
        return _state_cell(State.ERROR, f"stack-{number}") if stack.failures else '<td class="none">–</td>'
    state = worst_of(finding.state for _, finding in found)
    index, finding = next((index, finding) for index, finding in found if finding.state is state)
    if state is State.AS_DECLARED:
        return _state_cell(state, "", _value(finding.actual))
    more = f"<br>now {escape(said(finding.actual))}" if state is State.DRIFT else ""
    return _state_cell(state, _anchor(number, index, finding), more)


def _value(value: str | bool | None) -> str:
    return f"<br>{escape(said(value))}" if isinstance(value, bool) else ""


def _anchor(number: int, index: int, finding: Finding) -> str:
    return f"stack-{number}-{index}-{finding.field.replace('.', '-')}"


# --- the details ------------------------------------------------------------------------------------------------------


def _wants_details(stack: Stack) -> bool:
    notes = stack.notes or any(resource.notes for resource in stack.resources)
    extra = stack.pending or stack.pending_failure or stack.remediation
    fine = stack.state in (State.AS_DECLARED, State.NOTHING)
    return bool(not fine or notes or extra)


def _details(number: int, stack: Stack) -> Iterable[str]:
    yield f'<section class="stack" aria-labelledby="stack-{number}">'
    yield f'<h3 id="stack-{number}" tabindex="-1">{escape(stack.title)} {_tag(stack.state)}</h3>'
    deployed = f"last deployed {_when(stack.deployed_at)}; " if stack.deployed_at else ""
    yield f'<p class="quiet">{deployed}folder <code>{escape(stack.directory)}</code></p>'
    if stack.failure:
        yield f"<p>{escape(stack.failure.text)}</p>"
    for index, resource in enumerate(stack.resources):
        yield from _resource(number, index, resource)
    if stack.remediation:
        yield f"<p>Remediation <strong>{stack.remediation.outcome}</strong>: {escape(stack.remediation.text)}</p>"
    yield from _pending(stack)
    for note in stack.notes:
        yield f'<p class="quiet">Note: {escape(note)}</p>'
    yield "</section>"


def _resource(number: int, index: int, resource: Resource) -> Iterable[str]:
    shown = [finding for finding in resource.findings if finding.state is not State.AS_DECLARED]
    if not (shown or resource.notes or resource.failure):
        return
    yield f"<p><strong>{escape(resource.name)}</strong> <span class=quiet>({escape(about(resource))})</span></p>"
    if resource.failure:
        yield f"<p>{_tag(State.ERROR)} {escape(resource.failure.text)}</p>"
    for finding in shown:
        yield f'<dl id="{_anchor(number, index, finding)}" tabindex="-1">'
        yield f"<dt><code>{escape(finding.field)}</code> {_tag(finding.state)}</dt>"
        if finding.state is State.DRIFT:
            how = HOW[finding.how] + (f"; {finding.why}" if finding.why else "")
            yield (
                f"<dd>Declared <code>{escape(said(finding.declared))}</code>, now "
                f"<code>{escape(said(finding.actual))}</code> ({escape(how)}).</dd>"
            )
            if finding.since:
                yield f"<dd>First reported {_when(finding.since)}.</dd>"
        else:
            yield f"<dd>{escape(finding.why)}</dd>"
        if finding.where:
            yield f"<dd>{escape(finding.where)}</dd>"
        if finding.todo:
            yield f"<dd>{escape(finding.todo)}</dd>"
        if finding.command:
            yield f"<dd><pre><code>{escape(finding.command)}</code></pre></dd>"
        yield "</dl>"
    for note in resource.notes:
        yield f'<p class="quiet">Note: {escape(note)}</p>'


def _pending(stack: Stack) -> Iterable[str]:
    if stack.pending:
        yield "<p>Not deployed yet:</p><ul>"
        for change in stack.pending:
            fields = "; ".join(f"{name}: {said(old)} → {said(new)}" for name, old, new in change.fields)
            text = f"{change.resource}: {change.operation}" + (f" ({fields})" if fields else "")
            yield f"<li>{escape(text)}</li>"
        yield "</ul>"
    if stack.pending_failure:
        yield f"<p>Undeployed changes cannot be told: {escape(stack.pending_failure.text)}</p>"
