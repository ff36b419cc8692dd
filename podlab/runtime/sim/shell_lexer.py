"""Words and operators of a shell script, with what is inside of words: quotes, variables, `$(…)`, here-documents."""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim.shell_tree import Piece, Sequence, Token, Unsupported, Word

OPERATORS = ("&&", "||", ";;", ">>", ">&", "<<", "&>", ";", "&", "|", "<", ">", "(", ")", "\n")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#@*$!])(:?[-=+?]|##?|%%?|)")
_SHORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!]")


class Lexer:
    def __init__(self, source: str, parse: Callable[[str], Sequence]) -> None:
        """`parse` reads the commands inside of `$(…)`."""
        self._parse = parse
        self.source = source
        self.at = 0
        self._documents: list[tuple[int, str, bool, bool]] = []  # that begin at the next line: token, end, tabs, quoted

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        while self.at < len(self.source):
            char = self.source[self.at]
            if self.source.startswith("\\\n", self.at):
                self.at += 2
            elif char in " \t\r":
                self.at += 1
            elif char == "#":
                end = self.source.find("\n", self.at)
                self.at = len(self.source) if end < 0 else end
            elif self.source.startswith("<<", self.at) and not self.source.startswith("<<<", self.at):
                found.append(self._document(len(found)))
            elif (operator := self._operator()) is not None:
                found.append(operator)
                if operator.text == "\n":
                    self._read_documents(found)
            else:
                found.append(self._word())
        self._read_documents(found)
        return found

    def _document(self, index: int) -> Token:
        """<<END, <<-END, <<'END': the text comes with the next line."""
        match = re.compile(r"<<(-?)[ \t]*(['\"]?)(\w+)\2").match(self.source, self.at)
        if match is None:
            raise Unsupported("<<")
        self.at = match.end()
        self._documents.append((index, match[3], bool(match[1]), bool(match[2])))
        return Token("op", "<<", fd=0)

    def _read_documents(self, found: list[Token]) -> None:
        for index, end, tabs, quoted in self._documents:
            lines: list[str] = []
            while True:
                if self.at >= len(self.source):
                    break
                line, _, _ = self.source[self.at :].partition("\n")
                self.at += len(line) + 1
                line = line.lstrip("\t") if tabs else line
                if line == end:
                    break
                lines.append(line + "\n")
            text = "".join(lines)
            word = (Piece("text", text, quoted=True),) if quoted else self._quoted(text)
            found[index] = Token("op", "<<", word, fd=0)
        self._documents.clear()

    def _operator(self) -> Token | None:
        match = re.compile(r"([0-9])(>>|>&|>|<)").match(self.source, self.at)
        if match:
            self.at = match.end()
            return Token("op", match[2], fd=int(match[1]))
        for text in OPERATORS:
            if self.source.startswith(text, self.at):
                if text == "<<":
                    raise Unsupported(text)
                self.at += len(text)
                return Token("op", text, fd=0 if text == "<" else 1)
        return None

    def _word(self) -> Token:
        start, pieces = self.at, []
        while self.at < len(self.source) and self.source[self.at] not in " \t\r\n;&|<>()":
            char = self.source[self.at]
            if char == "'":
                end = self.source.find("'", self.at + 1)
                if end < 0:
                    raise Unsupported("unterminated quote")
                pieces.append(Piece("text", self.source[self.at + 1 : end], quoted=True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                pieces += self._double_quoted()
            elif char == "\\" and self.at + 1 < len(self.source):
                pieces.append(Piece("text", self.source[self.at + 1], quoted=True))
                self.at += 2
            elif char in "$`":
                pieces.append(self._dollar(quoted=False))
            else:
                end = self.at + 1
                while end < len(self.source) and self.source[end] not in " \t\r\n;&|<>()'\"\\$`":
                    end += 1
                pieces.append(Piece("text", self.source[self.at : end]))
                self.at = end
        return Token("word", self.source[start : self.at], tuple(pieces))

    def _double_quoted(self, end: str = '"') -> list[Piece]:
        """Up to `end`; "" is the end of the source."""
        pieces: list[Piece] = []
        text = ""
        while True:
            if self.at >= len(self.source) and end:
                raise Unsupported("unterminated quote")
            char = self.source[self.at : self.at + 1]
            if char == end:
                self.at += 1
                return [*pieces, Piece("text", text, quoted=True)]
            if char == "\\" and self.source[self.at + 1 : self.at + 2] in {"$", "`", end or "$", "\\", "\n"}:
                if self.source[self.at + 1] == "\n":
                    self.at += 2
                    continue
                text += self.source[self.at + 1]
                self.at += 2
            elif char in "$`":
                pieces.append(Piece("text", text, quoted=True))
                pieces.append(self._dollar(quoted=True))
                text = ""
            else:
                text += char
                self.at += 1

    def _dollar(self, *, quoted: bool) -> Piece:
        if self.source[self.at] == "`":
            end = self.source.find("`", self.at + 1)
            if end < 0:
                raise Unsupported("`")
            inner, self.at = self.source[self.at + 1 : end], end + 1
            return Piece("command", inner, quoted, body=self._parse(inner))
        rest = self.at + 1
        if self.source.startswith("((", rest):
            end = self._matching(rest)
            if self.source[end - 1] == ")":
                inner = self.source[rest + 2 : end - 1]
                self.at = end + 1
                return Piece("arith", inner, quoted)
        if self.source.startswith("(", rest):
            end = self._matching(rest)
            inner, self.at = self.source[rest + 1 : end], end + 1
            return Piece("command", inner, quoted, body=self._parse(inner))
        if self.source.startswith("{", rest):
            return self._braced(rest, quoted)
        if short := _SHORT.match(self.source, rest):
            self.at = short.end()
            return Piece("var", short[0], quoted)
        self.at += 1
        return Piece("text", "$", quoted)

    def _braced(self, start: int, quoted: bool) -> Piece:
        end = self._matching(start, "{", "}")
        inner, self.at = self.source[start + 1 : end], end + 1
        if inner.startswith("#") and _SHORT.fullmatch(inner[1:]):
            return Piece("var", inner[1:], quoted, op="len")
        match = _BRACED.match(inner)
        if match is None or (not match[2] and match.end() < len(inner)):
            raise Unsupported("${")
        rest = inner[match.end() :]
        arg = self._quoted(rest) if quoted else self._unquoted(rest)
        return Piece("var", match[1], quoted, op=match[2], arg=arg)

    def _quoted(self, text: str) -> Word:
        """As between double quotes, where these themselves mean nothing."""
        return tuple(Lexer(text, self._parse)._double_quoted(""))

    def _unquoted(self, text: str) -> Word:
        pieces: list[Piece] = []
        for part in re.split(r"(\s+)", text):
            pieces += (Piece("text", part),) if part.isspace() or not part else Lexer(part, self._parse)._word().word
        return tuple(pieces)

    def _matching(self, start: int, opening: str = "(", closing: str = ")") -> int:
        """The index of the bracket that closes the one at `start`."""
        depth, quote = 0, ""
        for index in range(start, len(self.source)):
            char = self.source[index]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    return index
        raise Unsupported(opening)
