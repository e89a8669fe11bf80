"""The commands, code and links in the documents are real."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

import spatialwm
from spatialwm.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(ROOT.glob("*.md"))


def blocks(language: str) -> list[tuple[str, str]]:
    """``(document, code)`` of every fenced block of a language."""
    pattern = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    return [(d.name, code) for d in DOCUMENTS for code in pattern.findall(d.read_text("utf-8"))]


COMMANDS = [line for _, code in blocks("bash") for line in code.splitlines() if line.startswith("spatialwm ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    build_parser().parse_args(shlex.split(line, comments=True)[1:])


def test_the_documents_show_commands() -> None:
    verbs = {c.split()[1] for c in COMMANDS}
    assert {"create", "info", "edit", "history", "predict", "render", "export", "check", "doctor"} <= verbs


@pytest.mark.parametrize(("name", "code"), blocks("python"))
def test_python_in_the_documents_uses_names_that_exist(name: str, code: str) -> None:
    attributes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Attribute)]
    used = {n.attr for n in attributes if getattr(n.value, "id", "") == "spatialwm"}
    assert used <= set(spatialwm.__all__), f"{name} uses names that are not public"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        assert "://" in target or (document.parent / target).exists(), target


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name, code in blocks("bash"):
        for line in code.splitlines():
            if line.startswith("make "):
                assert line.split()[1] in targets, name
