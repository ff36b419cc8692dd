from __future__ import annotations

import pytest

from podlab.apis import quantity

WRITTEN = {
    "whole units stay": ("2", "2"),
    "a fraction of a cpu becomes milli": ("0.1", "100m"),
    "a thousand milli is one": ("1000m", "1"),
    "binary units grow as far as they go without rest": ("1024Mi", "1Gi"),
    "a binary fraction goes one unit down": ("1.5Gi", "1536Mi"),
    "half a gibibyte": ("0.5Gi", "512Mi"),
    "less than 1024 is written decimally": ("1Ki", "1Ki"),
    "a small binary amount loses its unit": ("0.5Ki", "512"),
    "decimal exponents stay exponents": ("1e3", "1e3"),
    "an exponent is brought to a multiple of three": ("1e4", "10e3"),
    "bytes stay bytes": ("128974848", "128974848"),
    "megabytes": ("129M", "129M"),
    "thousands of kilobytes are megabytes": ("129000k", "129M"),
    "nothing at all": ("0Gi", "0"),
    "negative": ("-1", "-1"),
    "a number": (2, "2"),
    "finer than nano is rounded up": ("0.1n", "1n"),
}


@pytest.mark.parametrize("sentence", WRITTEN)
def test_canonical_form(sentence: str) -> None:
    text, expected = WRITTEN[sentence]
    assert quantity.canonical(text) == expected


REFUSED = {
    "abc": quantity.WRONG_SHAPE,
    "": quantity.WRONG_SHAPE,
    "1GB": quantity.WRONG_SHAPE,
    "1mm": quantity.WRONG_SUFFIX,
    "1.2.3": quantity.WRONG_SHAPE,
    "--1": quantity.WRONG_SUFFIX,
    "1e999": quantity.WRONG_NUMBER,
}


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_what_is_no_quantity(text: str) -> None:
    with pytest.raises(quantity.QuantityError) as caught:
        quantity.parse(text)
    assert str(caught.value) == REFUSED[text]


def test_numbers_are_read_as_their_digits_each_time() -> None:
    for _ in range(2):  # the second time from memory, where there is one
        assert (quantity.parse(1).nano, quantity.parse("1").nano, quantity.parse(1.5).nano) == (
            10**9,
            10**9,
            15 * 10**8,
        )
        with pytest.raises(quantity.QuantityError):
            quantity.parse(True)


def test_milli_and_value_round_up() -> None:
    assert quantity.milli("0.0001") == 1
    assert quantity.value("100m") == 1
    assert quantity.value("1Gi") == 2**30
    assert quantity.milli("-0.0001") == -1


def test_amounts_are_written_back() -> None:
    assert quantity.of_milli(1500) == "1500m"
    assert quantity.of_bytes(2 * 2**30) == "2Gi"
    assert quantity.compare("1000m", "1") == 0
    assert quantity.compare("1", "2") < 0
