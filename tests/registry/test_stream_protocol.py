"""What API server and nodes say to each other on a stream connection: whatever is cut or forged is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podlab.registry import streams
from podlab.registry.streams import Decoder, End, Frame, OpenRequest, ProtocolError

KEY, OTHER_KEY = streams.key_of("secret"), streams.key_of("another")
NODE_NONCE, NONCE = b"n" * streams.NONCE_BYTES, b"c" * streams.NONCE_BYTES
REQUEST = OpenRequest(
    operation=streams.EXEC,
    cluster="main",
    node="node-a",
    namespace="default",
    pod="web",
    uid="u-1",
    container="app",
    command=("sh", "-c", "echo 'ä'"),
    stdin=True,
    stdout=True,
    tty=True,
)
frames = st.builds(Frame, st.sampled_from(sorted(streams.CHANNELS)), st.binary(max_size=300))


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]


@given(st.lists(frames, max_size=8), st.lists(st.integers(min_value=0), max_size=8))
def test_frames_come_back_however_the_bytes_are_cut(sent: list[Frame], places: list[int]) -> None:
    decoder = Decoder()
    found: list[Frame] = []
    for piece in cut(b"".join(map(streams.encode, sent)), places):
        found += decoder.feed(piece)
    assert found == sent
    assert decoder.waiting == 0


@given(frames, st.integers(min_value=1, max_value=4))
def test_a_frame_that_is_cut_off_is_not_delivered(frame: Frame, missing: int) -> None:
    decoder = Decoder()
    data = streams.encode(frame)
    assert decoder.feed(data[: len(data) - missing]) == []
    assert decoder.waiting == len(data) - missing


@given(st.binary(max_size=2000))
def test_noise_is_refused_or_kept_within_one_frame(noise: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(noise)
    except ProtocolError:
        return
    assert decoder.waiting <= streams.MAX_PAYLOAD + 5


def test_a_frame_that_announces_too_much_is_refused_before_it_comes() -> None:
    with pytest.raises(ProtocolError, match="no frame of this protocol"):
        Decoder().feed(bytes((streams.STDIN,)) + (streams.MAX_PAYLOAD + 1).to_bytes(4, "big"))
    with pytest.raises(ProtocolError, match="too large"):
        streams.encode(Frame(streams.STDIN, bytes(streams.MAX_PAYLOAD + 1)))


@given(st.binary(max_size=100_000))
def test_data_of_any_length_travels_in_pieces(data: bytes) -> None:
    found = Decoder().feed(b"".join(streams.encode_data(streams.STDOUT, data)))
    assert b"".join(frame.payload for frame in found) == data
    assert all(0 < len(frame.payload) <= streams.CHUNK for frame in found)


def test_a_request_arrives_as_it_was_sent() -> None:
    frame = streams.open_frame(KEY, REQUEST, node_nonce=NODE_NONCE, nonce=NONCE)
    assert streams.read_open(KEY, frame, node_nonce=NODE_NONCE) == (REQUEST, NONCE)


@given(st.data())
def test_a_changed_request_is_refused(data: st.DataObject) -> None:
    payload = bytearray(streams.open_frame(KEY, REQUEST, node_nonce=NODE_NONCE, nonce=NONCE).payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProtocolError, match="does not belong to this lab"):
        streams.read_open(KEY, Frame(streams.OPEN, bytes(payload)), node_nonce=NODE_NONCE)


def test_a_request_cannot_be_played_to_another_connection() -> None:
    frame = streams.open_frame(KEY, REQUEST, node_nonce=NODE_NONCE, nonce=NONCE)
    with pytest.raises(ProtocolError):
        streams.read_open(KEY, frame, node_nonce=b"m" * streams.NONCE_BYTES)
    with pytest.raises(ProtocolError):
        streams.read_open(OTHER_KEY, frame, node_nonce=NODE_NONCE)


def test_the_caller_knows_whom_it_reached() -> None:
    streams.check_opened(
        KEY, streams.opened_frame(KEY, node_nonce=NODE_NONCE, nonce=NONCE), node_nonce=NODE_NONCE, nonce=NONCE
    )
    forged = streams.opened_frame(OTHER_KEY, node_nonce=NODE_NONCE, nonce=NONCE)
    for frame in (forged, Frame(streams.STDOUT, forged.payload), Frame(streams.OPENED)):
        with pytest.raises(ProtocolError, match="not a node of this lab"):
            streams.check_opened(KEY, frame, node_nonce=NODE_NONCE, nonce=NONCE)


@pytest.mark.parametrize("hello", [b"", b"-ERR unknown command\r\n", b"x" * streams.HELLO_BYTES])
def test_another_server_is_recognised_by_its_greeting(hello: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a node of this lab"):
        streams.read_hello(hello)


@given(st.one_of(st.none(), st.integers(0, 255)), st.text(max_size=50))
def test_the_end_tells_code_and_error(code: int | None, error: str) -> None:
    assert streams.read_end(streams.end_frame(End(code, error))) == End(code, error)


@given(st.binary(max_size=60))
def test_an_end_that_cannot_be_read_is_an_error_of_the_protocol(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        streams.read_end(Frame(streams.END, b"[" + noise))


def test_sizes_stay_in_their_range() -> None:
    assert streams.read_resize(streams.resize_frame(120, 40)) == (120, 40)
    assert streams.read_resize(streams.resize_frame(-1, 10**9)) == (0, 65535)
    with pytest.raises(ProtocolError):
        streams.read_resize(Frame(streams.RESIZE, b"123"))


@pytest.mark.parametrize("text", ["unix:/run/x.sock", "127.0.0.1:10250", "[::1]:10250", "node-a:1"])
def test_addresses_are_read_as_they_are_written(text: str) -> None:
    assert str(streams.parse_address(text)) == text


@pytest.mark.parametrize("text", ["", "host", "host:", ":80", "host:0", "host:70000", "unix:relative", "host:8o"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        streams.parse_address(text)
