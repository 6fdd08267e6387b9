"""``infostore``, ``attachment``, ``file``, ``image``: versions, locks, downloads, uploads, tombstones."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import aiohttp
import pytest

LATE = 2**53


def _form(**fields: Any) -> dict[str, Any]:
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, tuple):
            form.add_field(
                name, value[1], filename=value[0], content_type=value[2] if len(value) > 2 else "text/plain"
            )
        else:
            form.add_field(name, json.dumps(value))
    return {"data": form}


async def _upload(wire: Any, content: bytes = b"one", filename: str = "a.txt", **fields: Any) -> str:
    form = _form(json={"folder_id": "30", **fields}, file=(filename, content))
    answer = await wire.send("POST", "infostore", "new", options=form, force_json_response="true")
    return str(answer.data)


async def test_uploads_of_files_make_versions(wire: Any) -> None:
    """A new file counts from 1; an update with a file adds one, and the newest is shown."""
    key = await _upload(wire, b"one", version_comment="first")
    stamp = (await wire.get("infostore", "get", id=key, folder="30")).json["timestamp"]
    form = _form(json={"version_comment": "second"}, file=("b.txt", b"two!"))
    answer = await wire.send("POST", "infostore", "update", options=form, id=key, timestamp=stamp)
    assert answer.wrapped["timestamp"] > stamp
    file = (await wire.get("infostore", "get", id=key, folder="30")).data
    assert (file["version"], file["filename"], file["file_size"], file["number_of_versions"]) == (
        "2",
        "b.txt",
        4,
        2,
    )
    rows = (await wire.get("infostore", "versions", id=key, columns="705,709,710,704")).data
    assert rows == [["1", "first", False, 3], ["2", "second", True, 4]]
    assert (await wire.get("infostore", "document", id=key, folder="30", version=1)).body == b"one"
    assert (await wire.put("infostore", "detach", [2, 9], id=key, folder="30", timestamp=LATE)).data == [9]
    assert (await wire.get("infostore", "document", id=key, folder="30")).body == b"one"
    await wire.put("infostore", "revert", id=key, folder="30", timestamp=LATE)
    assert (await wire.get("infostore", "document", id=key, folder="30")).json["category"] == 1


async def test_names_of_files_are_free_or_get_a_number(wire: Any) -> None:
    """Nothing is overwritten, unless a version is to be added."""
    key = await _upload(wire)
    second = await _upload(wire, b"two")
    assert (await wire.get("infostore", "get", id=second, folder="30")).data["filename"] == "a (1).txt"
    form = _form(json={"folder_id": "30"}, file=("a.txt", b"three"))
    again = await wire.send(
        "POST", "infostore", "new", options=form, try_add_version="true", plainJson="true"
    )
    assert again.data == key
    assert (await wire.get("infostore", "document", id=key, folder="30")).body == b"three"


async def test_uploads_of_bare_bytes(wire: Any) -> None:
    """The bytes alone, everything else in the address; from an offset on, they are appended."""
    raw = {"data": b"bytes", "headers": {"Content-Type": "application/octet-stream"}}
    params = {"binary": "true", "folder_id": "30", "filename": "raw.bin", "description": "d"}
    key = (await wire.send("PUT", "infostore", "upload", options=raw, **params)).data
    await wire.send("PUT", "infostore", "upload", options=raw, **params, id=key, timestamp=LATE, offset=5)
    assert (await wire.get("infostore", "document", id=key, folder="30")).body == b"bytesbytes"
    wrong = await wire.send(
        "PUT", "infostore", "upload", options=raw, **params, id=key, timestamp=LATE, offset=3
    )
    assert wrong.json["category"] == 1


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({}, 200, b"0123456789"),
        ({"Range": "bytes=2-4"}, 206, b"234"),
        ({"Range": "bytes=7-"}, 206, b"789"),
        ({"Range": "bytes=-2"}, 206, b"89"),
        ({"Range": "bytes=10-"}, 416, b""),
        ({"Range": "lines=1-2"}, 200, b"0123456789"),
        ({"Range": "bytes=2-4", "If-Range": '"other"'}, 200, b"0123456789"),
    ],
)
async def test_ranges_of_files(wire: Any, headers: Any, status: int, body: bytes) -> None:
    """Parts of a file, as long as it is still the same."""
    key = await _upload(wire, b"0123456789")
    answer = await wire.send(
        "GET", "infostore", "document", options={"headers": headers}, id=key, folder="30"
    )
    assert (answer.status, answer.body) == (status, body)


async def test_known_files_are_not_sent_again(wire: Any) -> None:
    """The tag changes with the version."""
    key = await _upload(wire, b"one")
    first = await wire.get("infostore", "document", id=key, folder="30")
    options = {"headers": {"If-None-Match": first.headers["ETag"]}}
    again = await wire.send("GET", "infostore", "document", options=options, id=key, folder="30")
    assert (again.status, again.body) == (304, b"")
    form = _form(json={}, file=("a.txt", b"two"))
    await wire.send("POST", "infostore", "update", options=form, id=key, timestamp=LATE)
    assert (
        await wire.send("GET", "infostore", "document", options=options, id=key, folder="30")
    ).body == b"two"


async def test_a_name_may_be_in_the_path(wire: Any) -> None:
    """For a dialogue to save; names beyond ASCII are written as RFC 5987 has it."""
    key = await _upload(wire, b"x", "Größe.txt")
    path = f"/infostore/other.txt?action=document&id={key}&folder=30&session={wire.session}"
    answer = await wire.raw("GET", path)
    assert answer.body == b"x"
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt")


async def test_newer_files_are_not_overwritten(wire: Any) -> None:
    """``IFO-1302`` for a write; a deletion answers what it left."""
    key = await _upload(wire)
    stamp = (await wire.get("infostore", "get", id=key, folder="30")).json["timestamp"]
    body = {"file": {"title": "new", "description": ""}}
    newer = (
        await wire.put("infostore", "update", body, id=key, timestamp=stamp, extendedResponse="true")
    ).json
    assert (newer["data"]["title"], "description" in newer["data"]) == ("new", False)
    late = await wire.put("infostore", "update", body, id=key, timestamp=stamp)
    assert (late.json["category"], late.code) == (9, "IFO-1302")
    reference = {"id": key, "folder": "30"}
    assert (await wire.put("infostore", "delete", [reference], timestamp=stamp)).data == [reference]
    assert (await wire.put("infostore", "delete", [reference], timestamp=newer["timestamp"])).data == []


async def test_locks_of_files_keep_others_out(wire: Any, john: Any) -> None:
    """Until they are over, or taken away; not the one who locked."""
    form = _form(json={"folder_id": "15"}, file=("shared.txt", b"x"))
    key = (await wire.send("POST", "infostore", "new", options=form, plainJson="true")).data
    await wire.get("infostore", "lock", id=key, diff=60_000)
    row = (await wire.get("infostore", "list", id=key)).json
    assert row["category"] == 1
    assert (await wire.put("infostore", "list", [{"id": key, "folder": "15"}], columns="707")).data[0][0] > 0
    body = {"file": {"title": "y"}}
    assert (await john.put("infostore", "update", body, id=key, timestamp=LATE)).json["category"] in (3, 9)
    assert "error" not in (await wire.put("infostore", "update", body, id=key, timestamp=LATE)).json
    await wire.get("infostore", "unlock", id=key)
    assert (await wire.put("infostore", "list", [{"id": key, "folder": "15"}], columns="707")).data == [
        [None]
    ]


async def test_deleted_files_can_be_restored(wire: Any) -> None:
    """They lie in the trash, and know where they were; ids change with the folder."""
    key = await _upload(wire)
    await wire.put("infostore", "delete", [{"id": key, "folder": "30"}], timestamp=LATE)
    (row,) = (await wire.get("infostore", "all", folder="33", columns="1,20,712")).data
    assert row == [f"33/{key.partition('/')[2]}", "33", "30"]
    (restored,) = (await wire.put("infostore", "restore", [{"id": row[0], "folder": "33"}])).data
    assert (restored["id"], restored["path"][0]["id"]) == (key, "30")
    await wire.put("infostore", "delete", [{"id": key, "folder": "30"}], timestamp=LATE, hardDelete="true")
    assert (await wire.get("infostore", "get", id=key, folder="30")).code == "IFO-0300"


async def test_updates_of_files_are_arrays_and_bare_ids(wire: Any) -> None:
    """What is new or changed, then what left the folder, moved files too."""
    moved, deleted, remaining = [await _upload(wire, filename=f"{name}.txt") for name in "abc"]
    since = (await wire.get("infostore", "get", id=deleted, folder="30")).json["timestamp"]
    await wire.get("infostore", "move", id=moved, folder="31", timestamp=LATE)
    await wire.put(
        "infostore", "delete", [{"id": deleted, "folder": "30"}], timestamp=LATE, hardDelete="true"
    )
    params = {"folder": "30", "columns": "1,702", "timestamp": since}
    assert (await wire.get("infostore", "updates", **params)).data == [[remaining, "c.txt"], moved, deleted]
    assert (await wire.get("infostore", "updates", **params, ignore="deleted")).data == [[remaining, "c.txt"]]


async def test_files_are_moved_and_copied(wire: Any) -> None:
    """A copy is a file of its own; what can't be moved is what is answered."""
    key = await _upload(wire)
    copied = (await wire.put("infostore", "copy", {"folder_id": "31", "title": "copy"}, id=key)).data
    assert (await wire.get("infostore", "document", id=copied, folder="31")).body == b"one"
    assert (await wire.put("infostore", "move", [{"id": key, "folder": "30"}], folder="31")).data == []
    names = (await wire.get("infostore", "all", folder="31", columns="702", sort=702, order="asc")).data
    assert names == [["a.txt"], ["a.txt"]] or names == [["a (1).txt"], ["a.txt"]]


SEARCHES: list[tuple[Any, list[str]]] = [
    (["=", {"field": "title"}, "find*"], ["find1.txt", "find2.txt"]),
    (["and", ["=", {"field": "filename"}, "find?.txt"], ["<", {"field": "file_size"}, "4"]], ["find1.txt"]),
    (["=", {"field": "content"}, "*longer*"], ["find2.txt"]),
    (["not", ["=", {"field": "filename"}, "find2.txt"]], ["find1.txt"]),
]


@pytest.mark.parametrize(("term", "names"), SEARCHES)
async def test_advanced_search_of_files(wire: Any, term: Any, names: list[str]) -> None:
    """Numbers may be texts; a folder alone, or with what is below it."""
    for number, content in ((1, b"abc"), (2, b"longer")):
        await _upload(wire, content, f"find{number}.txt", folder_id="31")
    options = {"columns": "702", "sort": 702, "order": "asc", "folder": "30", "includeSubfolders": "true"}
    rows = (await wire.put("infostore", "advancedSearch", {"filter": term}, **options)).data
    assert [row[0] for row in rows if row[0] and row[0].startswith("find")] == names


@pytest.mark.parametrize(
    "term", [["<>", {"field": "title"}, "x"], ["<", {"field": "title"}, "x"], ["=", {"field": "folder"}, "x"]]
)
async def test_only_some_comparisons_of_files_are_possible(wire: Any, term: Any) -> None:
    """As the document's table has it."""
    assert (await wire.put("infostore", "advancedSearch", {"filter": term}, columns="1")).json[
        "category"
    ] == 1


async def test_search_of_files_takes_the_first_and_the_last_index(wire: Any) -> None:
    """Both are part of the result."""
    for number in range(5):
        await _upload(wire, filename=f"page{number}.txt")
    options = {"columns": "702", "sort": 702, "order": "asc", "start": 1, "end": 3}
    rows = (await wire.put("infostore", "search", {"pattern": "page"}, **options)).data
    assert [row[0] for row in rows] == ["page1.txt", "page2.txt", "page3.txt"]


async def test_archives_of_files_and_folders(wire: Any) -> None:
    """Of documents in any version, or of a whole folder."""
    key = await _upload(wire, b"one", "z.txt", folder_id="31")
    packed = await wire.put("infostore", "zipdocuments", [{"id": key, "folder": "31", "version": "1"}])
    folder = await wire.get("infostore", "zipfolder", folder="30", recursive="true")
    for answer in (packed, folder):
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            assert archive.read("z.txt") == b"one"


async def test_wrong_names_and_folders_are_refused(wire: Any) -> None:
    """Are refused with what is wrong."""
    assert (await wire.get("infostore", "checkname", name="a/b.txt")).code == "FLS-0023"
    assert (await wire.get("infostore", "checkname", name="good.txt")).data == {}
    assert (await wire.get("infostore", "all", folder="25", columns="1")).json["category"] == 3
    assert (await wire.put("infostore", "new", {"file": {"title": "x"}})).code == "SVL-0002"


# -- attachments of contacts and the like ----------------------------------------------------------


async def test_attachments_belong_to_objects(wire: Any) -> None:
    """Several at once; the object counts them; deleted ones are bare numbers."""
    rows = (await wire.get("contacts", "all", folder="25", columns="1")).data
    place = {"module": 7, "folder": 25, "attached": int(rows[0][0])}
    form = _form(json_0=place, file_0=("a.txt", b"a"), json_1=place, file_1=("b.txt", b"b"))
    first, second = (await wire.send("POST", "attachment", "attach", options=form)).wrapped["data"]
    contact = (await wire.get("contacts", "get", folder="25", id=rows[0][0])).data
    assert contact["number_of_attachments"] == 2
    assert (await wire.get("attachment", "document", id=first, **place)).body == b"a"
    since = (await wire.get("attachment", "get", id=second, **place)).json["timestamp"]
    await wire.put("attachment", "detach", [str(first)], **place)
    updates = (await wire.get("attachment", "updates", columns="803", timestamp=since - 1, **place)).data
    assert updates == [["b.txt"], first]
    saved = await wire.put("infostore", "saveAs", [{"file": {"folder_id": "30"}}], attachment=second, **place)
    assert (await wire.get("infostore", "document", id=saved.json["data"], folder="30")).body == b"b"
    nowhere = _form(json_0={**place, "attached": 1}, file_0=("a.txt", b"a"))
    assert (await wire.send("POST", "attachment", "attach", options=nowhere)).wrapped["category"] == 1


# -- uploads that wait -----------------------------------------------------------------------------


async def test_temporary_uploads_live_for_some_minutes(wire: Any, emulator: Any) -> None:
    """As long as somebody asks for them; only of the type that was allowed."""
    form = _form(any=("p.png", b"PNG", "image/png"))
    answer = await wire.send("POST", "file", "new", options=form, module="mail", type="image")
    (key,) = answer.wrapped["data"]
    emulator.clock.offset += 200
    assert (await wire.get("file", "keepalive", id=key)).json == {}
    emulator.clock.offset += 200
    assert (await wire.get("file", "get", id=key)).body == b"PNG"
    emulator.clock.offset += 301
    assert (await wire.get("file", "get", id=key)).code == "UPL-0005"
    form = _form(any=("a.txt", b"x"))
    assert (await wire.send("POST", "file", "new", options=form, module="mail", type="image")).wrapped[
        "category"
    ] == 1


async def test_images_need_the_public_cookie_only(wire: Any, guest: Any, connect: Any, emulator: Any) -> None:
    """No session is in their address."""
    form = _form(any=("p.png", b"PNG", "image/png"))
    (key,) = (await wire.send("POST", "file", "new", options=form, module="mail", type="image")).wrapped[
        "data"
    ]
    assert (await wire.raw("GET", f"/image/mfile/picture?uid={key}")).body == b"PNG"
    async with connect(emulator) as stranger:
        assert (await stranger.raw("GET", f"/image/mfile/picture?uid={key}")).status == 403
