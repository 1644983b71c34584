r"""What is printed commands neither the terminal that shows it nor the CI system whose log it lands in.

Azure Pipelines obeys ``##vso[`` wherever it stands in a line of a job's log, and GitHub Actions ``##[`` likewise, and
``::`` where a line begins. Both look for them as .NET does, which passes over characters that show nothing.
"""

from __future__ import annotations

import re

_UNSEEN = r"[^ -~\n]"
# An IPv6 address in brackets commands nobody.
_COMMAND = re.compile(rf"#(?={_UNSEEN}*#(?:\w|{_UNSEEN})*\[)|:(?={_UNSEEN}*:(?![0-9A-Fa-f:.]*\]))")
_COLOUR = re.compile(r"(\x1b\[(?:0|(?:1;)?3[1-6])m)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_BROKEN = {"json": "\\u{1:04x}", "html": "&#{1};", "junit": "&#{1};", "annotations": "{0}"}
"""How the first character of a command is written in a format: the same to its readers, or else with a space."""


def harmless(text: str, form: str = "text", *, coloured: bool = False) -> str:
    r"""Break, for everybody to see, what would be a command, and show what would steer a terminal.

    ``form`` is the format of the text. JSON, XML and HTML mean the same afterwards; annotations are commands, and what
    stands in them was made harmless before. A text that the package ``coloured`` keeps its colours; so what it quotes
    has to be made harmless before that.

    >>> harmless("Stack ##vso[task.complete], ::error::no \x1b[2J")
    'Stack # #vso[task.complete], : :error: :no \\x1b[2J'
    >>> harmless('{"urn": "urn:pulumi:prod::shop"}', "json")
    '{"urn": "urn:pulumi:prod\\u003a:shop"}'
    """
    if form != "json":  # There everything but ASCII is escaped.
        parts = _COLOUR.split(text) if coloured else [text]
        parts[::2] = [
            _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), part) for part in parts[::2]
        ]
        text = "".join(parts)
    broken = _BROKEN.get(form, "{0} ")
    return _COMMAND.sub(lambda found: broken.format(found[0], ord(found[0])), text)
