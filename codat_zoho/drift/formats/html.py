"""A drift report as one self-contained page: environments by settings at a glance, then the details.

It needs no network and no script, and is usable in light and dark, with a keyboard, and with a screen reader: every
state is a word, not only a colour, and every cell that needs attention links to its details.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from codat_zoho.drift.report import Finding, Report, Resource, Stack, State, in_words

_DRAWN = {
    State.ERROR: ("error", "✖"),
    State.DRIFT: ("drift", "▲"),
    State.CANNOT_TELL: ("untold", "?"),
    State.NOT_DEPLOYED: ("untold", "○"),
    State.AS_DECLARED: ("fine", "✔"),
    State.NOTHING: ("none", "–"),
}  # The class of each state, and its sign.
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
_NOTHING = '<td class="none">–</td>'

_FOLDER = (
    "Folder: the Pulumi project's, as it was given to codat-zoho drift and is seen from where that ran; the commands "
    "on this page are to be run from there. For a state that was exported to a file, it is the name of that file."
)
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
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
  overflow-wrap: anywhere; }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem; } p { margin: .4rem 0; } .quiet { color: var(--quiet); }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; } h3 { margin: 0; }
a { color: var(--link); } a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--page); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .4rem .5rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); } tbody th { font-weight: 600; white-space: nowrap; }
th { overflow-wrap: normal; } td a { color: inherit; }
td { min-width: 6rem; max-width: 11rem; overflow-wrap: break-word; font-size: .875rem; }
td.client { min-width: 9rem; font-size: .8rem; }
.state { font-weight: 600; white-space: nowrap; }
.error { color: var(--error); background: var(--error-page); }
.drift { color: var(--drift); background: var(--drift-page); }
.untold { color: var(--untold); background: var(--untold-page); }
.fine { color: var(--fine); background: var(--fine-page); } .none { color: var(--quiet); }
.tag { display: inline-block; border-radius: .3rem; padding: 0 .5rem; }
section.stack { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; }
dl { margin: .6rem 0; border-left: .25rem solid var(--line); padding-left: .8rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; }
code { font-family: ui-monospace, monospace; }
pre { background: var(--soft); padding: .5rem .7rem; white-space: pre-wrap; margin: .3rem 0; }
"""


# Nothing on the page may load anything, whatever a name in it says.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drift of Codat and Zoho</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#details">Skip to the details</a>
<main>
<h1>Drift of Codat and Zoho</h1>
<p><strong>{headline}.</strong></p>
{body}
</main>
</body>
</html>
"""


def draw(report: Report) -> str:
    """Draw a report as an HTML page."""
    stacks = report.by_severity
    details = [line for number, stack in enumerate(stacks) if not stack.quiet for line in _details(number, stack)]
    body = [
        f'<p class="quiet">Checked <time>{escape(report.started)}</time> in '
        f"{report.seconds:.1f} s; {report.zoho}. {escape(report.tool)}.</p>",
        *(f"<p>{escape(note)}</p>" for note in report.notes),
        *_table(report, stacks),
        '<h2 id="details">Details</h2>',
        *(details or ["<p>Everything that was checked is as declared.</p>"]),
        f'<p class="quiet" id="folder" tabindex="-1">{_FOLDER}</p>' if details else "",
    ]
    return _PAGE.format(headline=escape(report.headline), style=_STYLE, body="\n".join(body))


def _table(report: Report, stacks: list[Stack]) -> Iterator[str]:
    clients = any(stack.codat_clients for stack in stacks)
    heads = ["Environment", "Together", *["Codat client"] * clients, *map(_head, report.fields)]
    yield '<h2 id="table">Environments and settings</h2>'
    # Above the table and not its caption, which would scroll away with it.
    about = "Each cell says how a setting stands in an environment; a dash: not declared there."
    yield f'<p class="quiet" id="about">{about}</p>'
    yield '<section class="scroll" tabindex="0" aria-labelledby="table">'
    yield '<table aria-labelledby="table" aria-describedby="about">'
    yield "<thead><tr>" + "".join(f'<th scope="col">{escape(head)}</th>' for head in heads) + "</tr></thead><tbody>"
    for number, stack in enumerate(stacks):
        title = escape(stack.title)
        name = title if stack.quiet else f'<a href="#stack-{number}">{title}</a>'
        cells = [_state_cell(stack.state, stack.in_short)]
        if clients:
            cells.append(_codat_clients(stack))
        cells += [_cell(number, stack, field) for field in report.fields]
        yield f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></section>"


def _head(field: str) -> str:
    kind, _, region = field.partition(".")
    return f"Zoho {region}" if region else kind.replace("_", " ").capitalize()


def _codat_clients(stack: Stack) -> str:
    lines = [
        (f"{escape(name)}<br>" if name else "") + f'<span class="quiet">{escape(client)}</span>'
        for client, name in stack.codat_clients.items()
    ]
    return f'<td class="client">{"<br>".join(lines)}</td>' if lines else _NOTHING


def _state_cell(state: State, words: str = "", target: str = "", value: str = "") -> str:
    kind, sign = _DRAWN[state]
    shown = f'<span aria-hidden="true">{sign} </span>{escape(words or state.value)}'
    if target:
        shown = f'<a href="#{target}">{shown}</a>'
    return f'<td class="{kind}"><span class="state">{shown}</span>{value and "<br>"}{escape(value)}</td>'


def _cell(number: int, stack: Stack, field: str) -> str:
    found = [(one, at) for at, owner in enumerate(stack.resources) for one in owner.findings if one.field == field]
    if not found:
        # What could not be read has no settings to show, and a dash would look like "not declared".
        return _state_cell(State.ERROR, target=f"stack-{number}") if stack.failures else _NOTHING
    finding, index = next((one, at) for state in State for one, at in found if one.state is state)
    state = finding.state
    if state is State.AS_DECLARED:
        return _state_cell(state, value=in_words(finding.actual) if isinstance(finding.actual, bool) else "")
    value = f"now {in_words(finding.actual)}" if state is State.DRIFT else ""
    return _state_cell(state, target=_anchor(number, index, finding), value=value)


def _anchor(number: int, index: int, finding: Finding) -> str:
    return f"stack-{number}-{index}-{_NO_NAME.sub('-', finding.field)}"


def _details(number: int, stack: Stack) -> Iterator[str]:
    yield f'<section class="stack" aria-labelledby="stack-{number}">'
    yield f'<h3 id="stack-{number}" tabindex="-1">{escape(stack.title)} {_tag(stack.state)}</h3>'
    deployed = f"last deployed {escape(stack.deployed_at)}; " if stack.deployed_at else ""
    yield f'<p class="quiet">{deployed}<a href="#folder">folder</a> <code>{escape(stack.directory)}</code></p>'
    if stack.failure:
        yield f"<p>{escape(stack.failure.text)}</p>"
    for index, resource in enumerate(stack.resources):
        yield from _resource(number, index, resource)
    for remark in stack.remarks():
        yield f"<p>{escape(remark)}</p>"
    yield "</section>"


def _tag(state: State) -> str:
    kind, sign = _DRAWN[state]
    return f'<span class="state tag {kind}"><span aria-hidden="true">{sign} </span>{state.value}</span>'


def _resource(number: int, index: int, resource: Resource) -> Iterator[str]:
    shown = [finding for finding in resource.findings if finding.state is not State.AS_DECLARED]
    if not (shown or resource.notes or resource.failure):
        return
    yield f"<p><strong>{escape(resource.described)}</strong></p>"
    if resource.failure:
        yield f"<p>{_tag(State.ERROR)} {escape(resource.failure.text)}</p>"
    said: set[str] = set()
    for finding in shown:
        yield f'<dl id="{_anchor(number, index, finding)}" tabindex="-1">'
        yield f"<dt><code>{escape(finding.field)}</code> {_tag(finding.state)}</dt>"
        drift = finding.state is State.DRIFT
        yield f"<dd>{escape(f'{finding.values} ({finding.source})' if drift else finding.why)}</dd>"
        advice = [line for line in finding.advice if line not in said]  # Once for all data centres.
        said.update(advice)
        yield from (f"<dd>{escape(line)}</dd>" for line in advice)
        if finding.command:
            yield f"<dd><pre><code>{escape(finding.command)}</code></pre></dd>"
        yield "</dl>"
    for note in resource.notes:
        yield f'<p class="quiet">Note: {escape(note)}</p>'
