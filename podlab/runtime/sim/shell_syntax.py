"""The tree of a shell script (`shell_tree`). What is outside of the part that the simulator can run raises `Unsupported`: the
container then simply runs until it is stopped, which is honest and rarely wrong."""

from __future__ import annotations

import re

from podlab.runtime.sim.shell_lexer import Lexer
from podlab.runtime.sim.shell_tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Node,
    Piece,
    Pipeline,
    Redirect,
    Sequence,
    Simple,
    Token,
    Unsupported,
    Word,
)

CLOSERS = frozenset({"then", "do", "done", "fi", "elif", "else", "}", "esac"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
        elif not (self.peek() is None or self._is(";", "\n", ")", ";;")):
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
            node: Node = self._loop(until=token.text == "until")
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
        elif token.text == "case" and token.kind == "word":
            node = self._case()
        elif token.text in {"function", "select"} and token.kind == "word":
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
        if token is None or token.kind != "op" or token.text not in {">", ">>", "<", ">&", "&>", "<<"}:
            return None
        self.at += 1
        if token.text == "<<":
            return [Redirect(0, "<<", token.word)]
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
        if self._is("(") and len(words) == 1 and not assigns:
            return self._function(words[0])
        if not words and not assigns and not redirects:
            raise Unsupported("empty command")
        return Command(Simple(tuple(assigns), tuple(words)), tuple(redirects))

    def _function(self, name: Word) -> Command:
        self.at += 1
        self._take(")")
        while self._is("\n"):
            self.at += 1
        if len(name) != 1 or not _NAME.fullmatch(name[0].text):
            raise Unsupported("function")
        return Command(Function(name[0].text, self._command()))

    def _case(self) -> Case:
        self.at += 1
        word = self.peek()
        if word is None or word.kind != "word":
            raise Unsupported("case")
        self.at += 1
        branches: list[tuple[tuple[Word, ...], Sequence]] = []
        self._lines()
        self._take("in")
        self._lines()
        while not self._is("esac"):
            if self._is("("):
                self.at += 1
            patterns: list[Word] = []
            while (token := self.peek()) is not None and token.kind == "word":
                patterns.append(token.word)
                self.at += 1
                if self._is("|"):
                    self.at += 1
            self._take(")")
            branches.append((tuple(patterns), self.sequence(";;", "esac")))
            if self._is(";;"):
                self.at += 1
            self._lines()
        self._take("esac")
        return Case(word.word, tuple(branches))

    def _lines(self) -> None:
        while self._is("\n"):
            self.at += 1

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
        if not self._is("in"):
            words.append((Piece("var", "@", quoted=True),))
        else:
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
    parser = _Parser(Lexer(source, parse).tokens())
    tree = parser.sequence()
    if parser.peek() is not None:
        raise Unsupported("rest")
    return tree


__all__ = ["Unsupported", "parse"]
