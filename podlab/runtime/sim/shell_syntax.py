"""The part of the shell language that `shell` can run, as a tree. What is outside raises `Unsupported`: the container
then simply runs until it is stopped, which is honest and rarely wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass


class Unsupported(Exception):
    """Shell code that the simulator does not understand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a word. kind: text | var | arith | command. `default` belongs to ${NAME:-default}."""

    kind: str
    text: str
    quoted: bool = False
    default: str = ""
    body: Sequence | None = None


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    fd: int
    op: str  # > >> < >&
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    until: bool
    condition: Sequence
    body: Sequence


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[Word, ...]
    body: Sequence


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class Group:
    body: Sequence
    subshell: bool


@dataclass(frozen=True, slots=True)
class Command:
    node: Simple | Loop | For | If | Group
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()
    background: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[AndOr, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """kind: word | op. An operator's fd is the number glued to a redirect."""

    kind: str
    text: str
    word: Word = ()
    fd: int = -1


OPERATORS = ("&&", "||", ";;", ">>", ">&", "<<", "&>", ";", "&", "|", "<", ">", "(", ")", "\n")
CLOSERS = frozenset({"then", "do", "done", "fi", "elif", "else", "}", "esac"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*|[0-9?#@$!])(?::?-([^}]*))?\}")
_SHORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!]")


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

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
            elif (operator := self._operator()) is not None:
                found.append(operator)
            else:
                found.append(self._word())
        return found

    def _operator(self) -> Token | None:
        match = re.compile(r"([0-9])(>>|>&|>|<)").match(self.source, self.at)
        if match:
            self.at = match.end()
            return Token("op", match[2], fd=int(match[1]))
        for text in OPERATORS:
            if self.source.startswith(text, self.at):
                if text in {"<<", ";;"}:
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

    def _double_quoted(self) -> list[Piece]:
        pieces: list[Piece] = []
        text = ""
        while True:
            if self.at >= len(self.source):
                raise Unsupported("unterminated quote")
            char = self.source[self.at]
            if char == '"':
                self.at += 1
                return [*pieces, Piece("text", text, quoted=True)]
            if char == "\\" and self.source[self.at + 1 : self.at + 2] in {"$", "`", '"', "\\"}:
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
            return Piece("command", inner, quoted, body=parse(inner))
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
            return Piece("command", inner, quoted, body=parse(inner))
        if braced := _BRACED.match(self.source, rest):
            self.at = braced.end()
            return Piece("var", braced[1], quoted, default=braced[2] or "")
        if self.source.startswith("{", rest):
            raise Unsupported("${")
        if short := _SHORT.match(self.source, rest):
            self.at = short.end()
            return Piece("var", short[0], quoted)
        self.at += 1
        return Piece("text", "$", quoted)

    def _matching(self, start: int) -> int:
        """The index of the bracket that closes the one at `start`."""
        depth, quote = 0, ""
        for index in range(start, len(self.source)):
            char = self.source[index]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if depth == 0:
                    return index
        raise Unsupported("(")


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _is(self, *texts: str) -> bool:
        token = self.peek()
        return token is not None and token.text in texts

    def _take(self, text: str) -> None:
        if not self._is(text):
            raise Unsupported(f"expected {text}")
        self.at += 1

    def sequence(self, *closers: str) -> Sequence:
        items: list[AndOr] = []
        while True:
            while self._is(";", "\n"):
                self.at += 1
            token = self.peek()
            if token is None or token.text in closers:
                return Sequence(tuple(items))
            if token.kind == "word" and token.text in CLOSERS:
                raise Unsupported(token.text)
            items.append(self._and_or())

    def _and_or(self) -> AndOr:
        first, rest = self._pipeline(), []
        while self._is("&&", "||"):
            operator = self.tokens[self.at].text
            self.at += 1
            while self._is("\n"):
                self.at += 1
            rest.append((operator, self._pipeline()))
        background = self._is("&")
        if background:
            self.at += 1
        elif not (self.peek() is None or self._is(";", "\n", ")")):
            token = self.peek()
            if token is None or token.text not in CLOSERS:
                raise Unsupported(token.text if token else "")
        return AndOr(first, tuple(rest), background)

    def _pipeline(self) -> Pipeline:
        negated = self._is("!")
        if negated:
            self.at += 1
        commands = [self._command()]
        while self._is("|"):
            self.at += 1
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        token = self.peek()
        if token is None:
            raise Unsupported("end")
        if token.text in {"while", "until"} and token.kind == "word":
            node: Simple | Loop | For | If | Group = self._loop(until=token.text == "until")
        elif token.text == "for":
            node = self._for()
        elif token.text == "if":
            node = self._if()
        elif token.text == "{":
            self.at += 1
            node = Group(self.sequence("}"), subshell=False)
            self._take("}")
        elif token.text == "(" and token.kind == "op":
            self.at += 1
            node = Group(self.sequence(")"), subshell=True)
            self._take(")")
        elif token.text in {"case", "function", "select"}:
            raise Unsupported(token.text)
        else:
            return self._simple()
        return Command(node, self._redirects())

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            found.extend(redirect)
        return tuple(found)

    def _redirect(self) -> list[Redirect] | None:
        token = self.peek()
        if token is None or token.kind != "op" or token.text not in {">", ">>", "<", ">&", "&>"}:
            return None
        self.at += 1
        target = self.peek()
        if target is None or target.kind != "word":
            raise Unsupported("redirect")
        self.at += 1
        if token.text == "&>":
            return [Redirect(1, ">", target.word), Redirect(2, ">&", (Piece("text", "1"),))]
        return [Redirect(token.fd, token.text, target.word)]

    def _simple(self) -> Command:
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if (more := self._redirect()) is not None:
                redirects += more
                continue
            token = self.peek()
            if token is None or token.kind != "word":
                break
            self.at += 1
            assignment = _assignment(token.word) if not words else None
            if assignment is not None:
                assigns.append(assignment)
            else:
                words.append(token.word)
        if self._is("("):
            raise Unsupported("function")
        if not words and not assigns and not redirects:
            raise Unsupported("empty command")
        return Command(Simple(tuple(assigns), tuple(words)), tuple(redirects))

    def _loop(self, *, until: bool) -> Loop:
        self.at += 1
        condition = self.sequence("do")
        self._take("do")
        body = self.sequence("done")
        self._take("done")
        return Loop(until, condition, body)

    def _for(self) -> For:
        self.at += 1
        name = self.peek()
        if name is None or not _NAME.fullmatch(name.text):
            raise Unsupported("for")
        self.at += 1
        words: list[Word] = []
        if self._is("in"):
            self.at += 1
            while (token := self.peek()) is not None and token.kind == "word":
                words.append(token.word)
                self.at += 1
        while self._is(";", "\n"):
            self.at += 1
        self._take("do")
        body = self.sequence("done")
        self._take("done")
        return For(name.text, tuple(words), body)

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        otherwise = None
        while self._is("if", "elif"):
            self.at += 1
            condition = self.sequence("then")
            self._take("then")
            branches.append((condition, self.sequence("elif", "else", "fi")))
        if self._is("else"):
            self.at += 1
            otherwise = self.sequence("fi")
        self._take("fi")
        return If(tuple(branches), otherwise)


def _assignment(word: Word) -> tuple[str, Word] | None:
    if not word or word[0].kind != "text" or word[0].quoted:
        return None
    name, equals, rest = word[0].text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        return None
    return name, ((Piece("text", rest), *word[1:]) if rest else word[1:])


def parse(source: str) -> Sequence:
    """The tree of a script; raises `Unsupported`."""
    parser = _Parser(_Lexer(source).tokens())
    tree = parser.sequence()
    if parser.peek() is not None:
        raise Unsupported("rest")
    return tree
