"""Everything that the pages, sentences and scripts say: found in the sources, for the test of the translations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MARKS = {"gettext", "gettext_lazy", "gettext_noop", "_", "N_"}
_TRANSLATE = re.compile(r"""{%\s*translate\s+("[^"]*"|'[^']*')""")
_BLOCK = re.compile(r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
_VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")
_SCRIPT = re.compile(r"""\bt\(\s*("(?:[^"\\]|\\.)*")""")
_CHOICE = re.compile(r"""\bt\(\s*[^"(),]+\?\s*("[^"]*")\s*:\s*("[^"]*")""")


def in_python() -> Iterator[str]:
    for path in sorted((ROOT / "podlab").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in _MARKS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def in_templates() -> Iterator[str]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        yield from (found[1:-1] for found in _TRANSLATE.findall(text))
        yield from (_VARIABLE.sub(r"%(\1)s", found) for found in _BLOCK.findall(text))


def in_scripts() -> Iterator[str]:
    for path in sorted((ROOT / "static" / "src").glob("*.js")):
        text = path.read_text()
        yield from (ast.literal_eval(found) for found in _SCRIPT.findall(text))
        for pair in _CHOICE.findall(text):
            yield from (ast.literal_eval(found) for found in pair)
