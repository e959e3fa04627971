"""Every `az` command of the given files, through the real azure-cli's own argument parser.

    az_commands.py FILE...      exit 1 and one line for each command that az would not take
    az_commands.py --self-test  exit 1 unless right commands pass and wrong ones do not

A command without flags is a mention ("`az acr import` copies no signatures") and must exist; any other must parse
whole. Placeholders (`<…>`, `$VAR`, `$(…)`, `${{ … }}`) stand for some value; a command inside `$(…)` is one of its own.
"""

import contextlib
import io
import os
import re
import sys
import tempfile

os.environ["AZURE_CONFIG_DIR"] = tempfile.mkdtemp(prefix="az-config-")
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "0"
os.environ["AZURE_CORE_NO_COLOR"] = "1"
os.environ["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"] = "no"

START = re.compile(r"az (?=[a-z])")
# Where a command begins in a line of a script: what else has these two letters is prose that a program prints.
IN_SCRIPT = re.compile(r"(?:^\s*(?:- )?(?:(?:run|script|inlineScript): )?(?:\$ )?|\$\(|(?:\||&&|;) *)(?=az [a-z])")
FENCE = re.compile(r"^\s*(?:```|~~~)")


def texts(path):
    """Inline code and lines of code blocks, continuations joined, each with its line number."""
    fenced, line, start = False, "", 0
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            text = text.rstrip("\n")
            if FENCE.match(text):
                fenced = not fenced
                continue
            line, start = (line + " " + text.strip(), start) if line else (text, number)
            if fenced and line.endswith("\\"):
                line = line[:-1].rstrip()
                continue
            if fenced and IN_SCRIPT.search(line) and is_open(line):
                continue
            # What the program prints stands in a block and has its commands in backticks all the same.
            spans = re.findall(r"`([^`]*)`", line)
            if not fenced or any(START.match(span) for span in spans):
                for span in spans:
                    if START.match(span):
                        yield start, span
            else:
                if found := IN_SCRIPT.search(line):
                    yield start, line[found.end():]
            line = ""


class Open(Exception):
    """A quote or a substitution without an end."""


def shell(text, at=0, nested=False):
    """Words up to the end of the command; commands in substitutions, too. Gives (words, further commands, end)."""
    words, word, further, quote = [], None, [], None
    while at < len(text):
        c = text[at]
        if c == "\\" and quote != "'" and at + 1 < len(text):
            word, at = (word or "") + text[at + 1], at + 2
        elif quote and c == quote:
            quote, at = None, at + 1
        elif not quote and c in "'\"":
            quote, word, at = c, word or "", at + 1
        elif quote != "'" and text.startswith("${{", at):
            at = text.index("}}", at) + 2
            word = (word or "") + "value"
        elif quote != "'" and text.startswith("$(", at):
            inner, more, at = shell(text, at + 2, True)
            further += more + ([inner] if inner[:1] == ["az"] else [])
            word = (word or "") + "value"
        elif quote != "'" and (variable := re.compile(r"\$(\{\w+\}|\w+)").match(text, at)):
            word, at = (word or "") + "value", variable.end()
        elif not quote and (placeholder := re.compile(r"<[^<>\s][^<>]*>").match(text, at)):
            word, at = (word or "") + "value", placeholder.end()
        elif not quote and nested and c == ")":
            return words + ([word] if word is not None else []), further, at + 1
        elif not quote and (c in "|;&<>)" or (c == "#" and word is None)):
            if nested:
                at += 1  # a pipe inside a substitution: its end is still to come
                while at < len(text) and text[at] != ")":
                    at += 1
                return words + ([word] if word is not None else []), further, at + 1
            break
        elif not quote and c.isspace():
            if word is not None:
                words.append(word)
            word, at = None, at + 1
        else:
            word, at = (word or "") + c, at + 1
    if quote or (nested and at >= len(text)):
        raise Open(text)
    return words + ([word] if word is not None else []), further, at


def is_open(line):
    """Whether a quote goes on in the next line."""
    try:
        shell(line[IN_SCRIPT.search(line).end():])
    except Open:
        return True
    return False


def commands(path):
    for number, text in texts(path):
        while START.match(text):
            words, further, end = shell(text)
            for command in [words] + further:
                yield number, command
            rest = IN_SCRIPT.search(text, end)
            text = text[rest.end():] if rest else ""


class Az:
    """azure-cli, as far as it reads arguments."""

    def __init__(self):
        from azure.cli.core import get_default_cli

        self.cli = get_default_cli()
        self.parsers = {}

    def parser(self, arguments):
        cli = self.cli
        invocation = cli.invocation_cls(
            cli_ctx=cli,
            parser_cls=cli.parser_cls,
            commands_loader_cls=cli.commands_loader_cls,
            help_cls=cli.help_cls,
        )
        cli.invocation = invocation
        invocation.data["command_string"] = " ".join(arguments)
        loader = invocation.commands_loader
        loader.load_command_table(arguments)
        command = invocation._rudimentary_get_command(arguments)
        if command not in loader.command_table:
            return command, None
        if command not in self.parsers:
            loader.command_name = command
            loader.load_arguments(command)
            loader.command_table = {command: loader.command_table[command]}
            invocation.parser.load_command_table(loader)
            self.parsers[command] = invocation.parser
        return command, self.parsers[command]

    def refuses(self, words):
        """Why az would not take the command; None if it would."""
        arguments = words[1:]
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                command, parser = self.parser(arguments)
                if parser is None:
                    return "no such command"
                if len(arguments) == len(command.split()):
                    return None
                parser.parse_args(arguments)
            except SystemExit as end:
                if end.code not in (0, None):
                    lines = [line for line in said.getvalue().splitlines() if line.strip()]
                    return lines[0] if lines else "refused"
            except Exception as error:  # azure-cli's own errors have no common base
                return f"{type(error).__name__}: {error}"
        return None


RIGHT = [
    "az login --tenant T --scope https://vault.azure.net/.default",
    "az keyvault key set-attributes --id https://v.vault.azure.net/keys/k --enabled true",
    'az role assignment create --assignee-object-id <object> --assignee-principal-type User --role "Key Vault Crypto User" --scope "$(az keyvault show --name v --query id --output tsv)"',
    "az acr import",
]
WRONG = [
    "az keyvault key set-attributes --vault v --name k --state enabled",
    "az keyvault key set-attributes --enabled true --id",
    "az keyvault key create --vault-name v --name k --kty EC --curve P-257",
    "az acr config content-trust update --registry r --status enabled",
    "az identity federated-credential create --name n --issuer i --subject s",
    "az keyvault show --name v --query [id",
    "az keyvault sign",
    "az rol assignment create",
]


def self_test(az):
    wrong = [f"refused: {line}: {why}" for line in RIGHT for words in [shell(line)] for command in [words[0]] + words[1] if (why := az.refuses(command))]
    wrong += [f"taken: {line}" for line in WRONG if not az.refuses(shell(line)[0])]
    if len(shell(RIGHT[2])[1]) != 1:
        wrong.append("the command inside of another one was not seen")
    return wrong


def main(arguments):
    az = Az()
    if arguments == ["--self-test"]:
        wrong = self_test(az)
        print(f"{len(RIGHT)} right and {len(WRONG)} wrong commands")
    else:
        wrong, checked = [], {}
        for path in arguments:
            try:
                found = list(commands(path))
            except (Open, ValueError) as error:
                wrong.append(f"{path}: cannot be split: {error}")
                continue
            for number, words in found:
                key = tuple(words)
                if key not in checked:
                    checked[key] = az.refuses(words)
                if checked[key]:
                    wrong.append(f"{path}:{number}: {' '.join(words)}: {checked[key]}")
        print(f"{len(checked)} commands in {len(arguments)} files")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
