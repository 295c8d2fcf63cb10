"""The pictures that the documents show: each is there, each page of the console has one, and all together are small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.pictures.pages import ONE_OF, WITHOUT_PICTURE, console_pictures, dagster_pictures, name_of
from webhook_bridge.console.sections import SECTIONS
from webhook_bridge.permissions import ROUTES

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs" / "images"
AT_MOST_BYTES = 3_500_000
# What is under /console and no page of its own: files, streams that keep a page alive, and the wait for a file.
NO_PAGE = re.compile(r"/console/assets/|/stream$|/exports/")


def shown() -> dict[Path, list[Path]]:
    """Each document with its pictures."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    texts = {document: re.sub(r"<!--.*?-->", "", document.read_text(), flags=re.DOTALL) for document in documents}
    found = {document: re.findall(r"!\[[^]]*\]\(([^)]+)\)", text) for document, text in texts.items()}
    return {document: [(document.parent / one).resolve() for one in links] for document, links in found.items() if links}


def test_every_picture_that_a_document_shows_is_there() -> None:
    missing = [str(picture) for pictures in shown().values() for picture in pictures if not picture.is_file()]
    assert missing == [], "run docs/make_images.py"


def test_the_tour_shows_every_page_of_the_console_and_every_picture_that_is_taken() -> None:
    tour = {path.stem for path in shown()[ROOT / "docs" / "tour.md"]}
    assert {section.path for section in SECTIONS if name_of(section.path) not in tour} <= WITHOUT_PICTURE
    later = tuple(name_of(path) for path in WITHOUT_PICTURE)
    pictures = (*console_pictures("", dict.fromkeys(ONE_OF, "an-id")), *dagster_pictures(""))
    taken = {one.name for one in pictures if not one.name.startswith(later)}
    assert taken - tour == set()
    assert [name for name in later if name in tour] == [], "it has a picture now"


def test_a_picture_is_taken_of_every_page_that_the_console_has() -> None:
    pages = {re.sub("{.+?}", "an-id", path) for method, path in ROUTES if method == "GET" and path.startswith("/console")}
    taken = {one.url.partition("?")[0] for one in console_pictures("", dict.fromkeys(ONE_OF, "an-id"))}
    assert {page for page in pages if not NO_PAGE.search(page)} == taken


def test_no_picture_lies_about_unused_and_all_are_small() -> None:
    used = {path for pictures in shown().values() for path in pictures}
    assert [path.name for path in IMAGES.iterdir() if path not in used] == []
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < AT_MOST_BYTES
