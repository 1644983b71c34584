"""What a shell needs to complete the command line, drawn from the parsers of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from shlex import quote

from codat_zoho.terminal.console import Parser

SHELLS = ("bash", "zsh", "fish")
# Where nothing is known, `-o default` completes file names.
_BASH = """\
_codat_zoho() {{
    local offered= verb= before=${{COMP_WORDS[COMP_CWORD-1]}}
    [ "$COMP_CWORD" -eq 1 ] || verb=${{COMP_WORDS[1]}}
    case "$verb $before" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$offered" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _codat_zoho codat-zoho
"""
_ZSH = "autoload -Uz +X compinit bashcompinit && compinit && bashcompinit\n"


def parser() -> argparse.ArgumentParser:
    """Describe the arguments of the command."""
    made = Parser(
        prog="codat-zoho completion",
        description='Prints what completes this command line. In bash or zsh: eval "$(codat-zoho completion bash)", '
        "with the name of the shell, in ~/.bashrc or ~/.zshrc. In fish: codat-zoho completion fish | source.",
        epilog="exit codes: 0 printed, 1 it cannot be written, 2 wrong use",
    )
    made.add_argument("shell", choices=SHELLS, help="the shell to complete in")
    return made


def script(shell: str, commands: Mapping[str, str], parsers: Mapping[str, argparse.ArgumentParser]) -> str:
    """Draw the completion for one of ``SHELLS``; ``commands`` are their names with a line of help each."""
    if shell == "fish":
        return "\n".join(_fish(commands, parsers)) + "\n"
    cases = "\n".join(f"        {pattern}) offered={quote(' '.join(words))} ;;" for pattern, words in _cases(parsers))
    return (_ZSH if shell == "zsh" else "") + _BASH.format(cases=cases)


def _cases(parsers: Mapping[str, argparse.ArgumentParser]) -> Iterator[tuple[str, list[str]]]:
    """What may follow: patterns of the command and the word before, and words; the first pattern that fits holds."""
    yield '" "*', [*parsers, "--help", "--version"]
    for name, parser in parsers.items():
        words: list[str] = []
        for one in _actions(parser):
            words += one.option_strings or map(str, one.choices or ())
            for option in one.option_strings if one.nargs != 0 else ():
                yield f'"{name} {option}"', [*map(str, one.choices or ())]
        yield f'"{name} "*', words


def _fish(commands: Mapping[str, str], parsers: Mapping[str, argparse.ArgumentParser]) -> Iterator[str]:
    for name, text in commands.items():
        yield f"complete -c codat-zoho -n __fish_use_subcommand -f -a {name} -d {quote(text)}"
    for name, parser in parsers.items():
        for one in _actions(parser):
            spelled = [
                f"-{'l' if option.startswith('--') else 's'} {option.lstrip('-')}" for option in one.option_strings
            ]
            choices = f"-f -a {quote(' '.join(map(str, one.choices)))}" if one.choices else ""
            needed = "-r" if one.option_strings and one.nargs != 0 else ""
            if words := " ".join(filter(None, [*spelled, needed, choices])):
                yield f"complete -c codat-zoho -n '__fish_seen_subcommand_from {name}' {words}"


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [one for one in parser._actions if one.help != argparse.SUPPRESS]
