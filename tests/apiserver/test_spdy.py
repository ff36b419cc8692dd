"""SPDY frames: what kubectl sends comes back out, and hostile bytes stay bounded."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podlab.apiserver.streams import spdy
from podlab.apiserver.streams.spdy import (
    Data,
    Decoder,
    Encoder,
    Frame,
    GoAway,
    Ping,
    Reset,
    SpdyError,
    SynReply,
    SynStream,
)

ids = st.integers(1, 2**31 - 1)
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz-"), min_size=1, max_size=12)
headers = st.dictionaries(names, st.text(st.characters(max_codepoint=255), max_size=30), max_size=5)
frames = st.one_of(
    st.builds(SynStream, ids, headers, st.booleans()),
    st.builds(SynReply, ids, headers, st.booleans()),
    st.builds(Data, ids, st.binary(max_size=200), st.booleans()),
    st.builds(Reset, ids, st.integers(0, 11)),
    st.builds(Ping, st.integers(0, 2**32 - 1)),
    st.builds(GoAway, ids, st.integers(0, 2)),
)


def test_the_dictionary_is_that_of_the_draft() -> None:
    assert len(spdy.DICTIONARY) == 1423
    assert zlib.adler32(spdy.DICTIONARY) == 0xE3C6A7C2  # what every zlib stream of a SPDY/3 client names


@given(st.lists(frames, max_size=8), st.lists(st.integers(min_value=0), max_size=8))
def test_frames_come_back_however_the_bytes_are_cut(sent: list[Frame], places: list[int]) -> None:
    encoder, decoder = Encoder(), Decoder()
    data = b"".join(encoder.encode(frame) for frame in sent)
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    found: list[Frame] = []
    for a, b in zip(edges, edges[1:], strict=False):
        found += decoder.feed(data[a:b])
        found += decoder.feed(b"")  # empty messages do occur and are no end
    assert found == sent
    assert decoder.waiting == 0


@given(frames, st.integers(min_value=1, max_value=7))
def test_a_frame_that_is_cut_off_is_not_delivered(frame: Frame, missing: int) -> None:
    data = Encoder().encode(frame)
    assert Decoder().feed(data[: len(data) - missing]) == []


@given(st.binary(max_size=3000))
def test_noise_is_refused_or_kept_within_one_frame(noise: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(noise)
    except SpdyError:
        return
    assert decoder.waiting <= spdy.MAX_FRAME + 8


def control(kind: int, body: bytes, version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, len(body)) + body


BOMB = zlib.compressobj(zdict=spdy.DICTIONARY)
HOSTILE = {
    "another version": control(1, bytes(10), version=2),
    "an unknown control frame": control(99, b""),
    "a SYN_STREAM without its ids": control(spdy.SYN_STREAM, b"123"),
    "a PING without a number": control(spdy.PING, b""),
    "headers that are not compressed": control(spdy.SYN_STREAM, bytes(10) + b"streamtype"),
    "headers that grow without end": control(
        spdy.SYN_STREAM, bytes(10) + BOMB.compress(bytes(10_000_000)) + BOMB.flush(zlib.Z_SYNC_FLUSH)
    ),
    "a frame that is too large": struct.pack(">II", 1, spdy.MAX_FRAME + 1),
}


@pytest.mark.parametrize("sentence", HOSTILE)
def test_is_refused(sentence: str) -> None:
    with pytest.raises(SpdyError):
        Decoder().feed(HOSTILE[sentence])


def compressed(plain: bytes) -> bytes:
    deflate = zlib.compressobj(zdict=spdy.DICTIONARY)
    return deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    "plain",
    [b"", b"\0\0", struct.pack(">I", 2**31), struct.pack(">II", 1, 2**31), struct.pack(">II", 1, 1) + b"a"],
    ids=["nothing", "half a count", "too many", "a long name", "no value"],
)
def test_headers_that_lie_about_their_lengths_are_refused(plain: bytes) -> None:
    with pytest.raises(SpdyError):
        Decoder().feed(control(spdy.SYN_STREAM, bytes(10) + compressed(plain)))


def test_settings_and_windows_are_ignored() -> None:
    data = control(spdy.SETTINGS, bytes(4)) + control(spdy.WINDOW_UPDATE, bytes(8)) + Encoder().encode(Ping(1))
    assert Decoder().feed(data) == [Ping(1)]


@given(st.binary(max_size=200_000))
def test_data_of_any_length_travels_in_pieces(payload: bytes) -> None:
    pieces = spdy.data(5, payload)
    assert b"".join(piece.payload for piece in pieces) == payload
    assert all(piece.id == 5 and len(piece.payload) <= spdy.CHUNK for piece in pieces)
