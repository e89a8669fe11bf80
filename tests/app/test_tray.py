"""What a page sends in lands in its own folder, whole or not at all, and goes with the page."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spatialwm_app import tray as rules
from spatialwm_app.tray import Tray, Trays

from spatialwm.errors import LiftError


class BrokenOff(Exception):
    """The browser went away."""


@pytest.fixture
def tray() -> Iterator[Tray]:
    tray = Tray()
    yield tray
    tray.close()


def put(tray: Tray, name: str, content: bytes = b"x") -> None:
    with tray.receive(name) as write:
        write(content)


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return packed.getvalue()


def home(tray: Tray) -> Path:
    return tray._home


def test_the_only_file_is_the_source_and_several_are_their_folder(tray: Tray) -> None:
    assert tray.source() is None
    put(tray, "kitchen.jpg", b"abc")
    first = tray.source()
    assert first is not None
    assert (first.name, first.read_bytes()) == ("kitchen.jpg", b"abc")
    put(tray, "hall.jpg")
    both = tray.source()
    assert both is not None
    assert sorted(p.name for p in both.iterdir()) == ["hall.jpg", "kitchen.jpg"]


def test_a_folder_keeps_its_name_and_its_parts(tray: Tray) -> None:
    put(tray, "attic/transforms.json")
    put(tray, "attic/images/1.png")
    source = tray.source()
    assert source is not None
    assert source.name == "attic"
    assert (source / "images" / "1.png").is_file()
    assert tray.files() == {"attic/images/1.png": 1, "attic/transforms.json": 1}


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/passwd", "a//b", ".", "a\\b\0", "x" * 300])
def test_a_name_that_leads_elsewhere_is_refused(tray: Tray, name: str) -> None:
    with pytest.raises(LiftError, match="not a file name"):
        put(tray, name)
    assert tray.source() is None


def test_an_upload_that_breaks_off_leaves_nothing(tray: Tray) -> None:
    def break_off(write: Callable[[bytes], None]) -> None:
        write(b"half")
        raise BrokenOff

    with pytest.raises(BrokenOff), tray.receive("clip.mp4") as write:
        break_off(write)
    assert tray.source() is None
    assert [p for p in home(tray).rglob("*") if p.is_file()] == []


def test_too_much_is_refused_in_a_line(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_BYTES", 10)
    put(tray, "a.jpg", b"12345678")
    with pytest.raises(LiftError, match="give the path"):
        put(tray, "b.jpg", b"123")
    put(tray, "a.jpg", b"1234567890")  # what is replaced does not count
    monkeypatch.setattr(rules, "MAX_FILES", 1)
    with pytest.raises(LiftError, match="more than 1 files"):
        put(tray, "c.jpg", b"")


def test_a_zip_is_unpacked_without_litter_and_removed_as_one(tray: Tray) -> None:
    put(tray, "capture.zip", archive({"room/a.jpg": b"1", "room/b.jpg": b"2", "__MACOSX/room/._a.jpg": b"", ".DS_Store": b""}))
    assert tray.files() == {"room/a.jpg": 1, "room/b.jpg": 1}
    tray.remove("capture.zip")
    assert tray.source() is None


def test_a_zip_without_a_folder_becomes_one_of_its_name(tray: Tray) -> None:
    put(tray, "garden.zip", archive({"a.jpg": b"1", "sub/b.jpg": b"2"}))
    assert tray.files() == {"garden/a.jpg": 1, "garden/sub/b.jpg": 1}


def test_a_zip_that_climbs_out_lies_or_is_none_is_refused_and_leaves_nothing(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [archive({"../evil.jpg": b"1"}), b"PK no archive", archive({})]
    lying = bytearray(archive({"a.jpg": b"0" * 5000}))
    entry = lying.rindex(b"PK\x01\x02")
    lying[entry + 24 : entry + 28] = struct.pack("<I", 10)  # its list of contents claims ten bytes
    for content in [*bad, bytes(lying)]:
        with pytest.raises(LiftError):
            put(tray, "x.zip", content)
        assert tray.source() is None
    monkeypatch.setattr(rules, "MAX_BYTES", 2000)
    with pytest.raises(LiftError, match="holds more than"):
        put(tray, "x.zip", archive({"a.jpg": b"0" * 5000}))
    assert [p for p in home(tray).rglob("*") if p.is_file()] == []


def test_removing_the_last_file_of_a_folder_removes_the_folder(tray: Tray) -> None:
    put(tray, "attic/images/1.png")
    put(tray, "loose.png")
    tray.remove("attic/images/1.png")
    source = tray.source()
    assert source is not None
    assert source.name == "loose.png"
    tray.remove("never-there.png")


def test_messages_name_files_and_not_the_folder_they_lie_in(tray: Tray) -> None:
    put(tray, "a.jpg")
    assert tray.spoken(f"{tray.source()}: too dark") == "a.jpg: too dark"


def test_a_page_that_goes_takes_its_files_along_once_nobody_lifts_them() -> None:
    trays = Trays()
    tray = trays.open()
    put(tray, "a.jpg")
    with tray.in_use():
        trays.drop(tray.token)
        assert trays.get(tray.token) is None
        assert tray.source() is not None, "what is being lifted stays"
    assert not home(tray).exists()


def test_trays_of_pages_long_gone_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    trays = Trays()
    old = trays.open()
    monkeypatch.setattr(rules, "IDLE_S", -1.0)
    new = trays.open()
    assert trays.get(old.token) is None
    assert not home(old).exists()
    trays.close()
    assert not home(new).exists()
