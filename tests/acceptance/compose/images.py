"""Stand-ins for the official images, all from one tree of Debian's packages, and ours from the real Dockerfile.

Packages come from where the machine itself gets them, before anything is built; the builds then have no network.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.compose.engine import Engine
from zixly_cli.settings import ROOT

STANDINS = Path(__file__).parent / "standins"
# Where tree and packages are kept from one time to the next, for whoever tries again and again; unless set, nowhere.
KEPT = "ZIXLY_TEST_COMPOSE_CACHE"
RELEASE, BASE = "trixie", "docker.io/library/debian:trixie-slim"
# The image's name in our files -> its stand-in. Grafana has none: no registry of packages has it.
IMAGES = {
    "python:3.13-slim": "python",
    "postgres:17": "postgres",
    "valkey/valkey:8": "valkey",
    "nginx:1.26": "nginx",
    "prom/prometheus:v2.53.3": "prometheus",
    "prom/alertmanager:v0.28.1": "alertmanager",
}
PACKAGES = (
    *("python3", "python3-venv", "python3-pip", "ca-certificates", "curl", "wget"),
    *("postgresql-17", "valkey-server", "valkey-tools", "nginx", "prometheus", "prometheus-alertmanager"),
)
NOT_NEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/javascript/*", "/usr/include/*")
# Tags of wheels that Debian's Python takes; pip does not work out the older ones from the newest.
TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux_2_5")
TREE_SECONDS, DOWNLOAD_SECONDS, BUILD_SECONDS = 900.0, 600.0, 900.0


def make_standins(engine: Engine, *, locks: Iterable[str]) -> Path:
    """The stand-ins' images, and the folder with the packages that ours is made of."""
    kept = Path(os.environ.get(KEPT, engine.folder / "kept"))
    (kept / "wheels").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as threads:
        downloads = threads.submit(download, engine, locks, kept / "wheels")
        tree = make_tree(engine, kept)
        engine.run("podman", "import", "--quiet", str(tree), BASE, seconds=BUILD_SECONDS)
        for image, name in IMAGES.items():
            file = STANDINS / f"{name}.Containerfile"
            engine.run(
                "podman", "build", "--quiet", "--layers=false", "-t", full(image), "-f", str(file), str(STANDINS), seconds=BUILD_SECONDS
            )
        downloads.result()
    return kept / "wheels"


def make_tree(engine: Engine, kept: Path) -> Path:
    """Debian with all that the stand-ins need, packed."""
    made = kept / f"{RELEASE}.tar"
    if made.exists():
        return made
    unfinished = made.with_name("unfinished.tar")
    dpkg = ["force-unsafe-io", *(f"path-exclude={path}" for path in NOT_NEEDED)]
    engine.fetch(
        *("mmdebstrap", "--quiet", "--variant=apt", *(f"--dpkgopt={option}" for option in dpkg)),
        *(f"--include={','.join(PACKAGES)}", f"--customize-hook=chroot \"$1\" sh -s <'{STANDINS / 'prepare'}'"),
        *(RELEASE, str(unfinished)),
        seconds=TREE_SECONDS,
    )
    return unfinished.rename(made)


def download(engine: Engine, locks: Iterable[str], folder: Path) -> None:
    """The packages of our locks, for the stand-in's Python."""
    tags = [f"--platform={tag}_{platform.machine()}" for tag in TAGS]
    which = ["--only-binary=:all:", "--no-deps", "--require-hashes", "--python-version=3.13", *tags]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    for lock in locks:
        engine.fetch(*pip, *which, "-d", str(folder), "-r", str(ROOT / "requirements" / lock), seconds=DOWNLOAD_SECONDS)


def build(engine: Engine, *, target: str, image: str, wheels: Path) -> None:
    """One of ours, from the Dockerfile as it is. pip takes what was downloaded: the file has a secret for that."""
    settings = engine.folder / "pip.conf"
    settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    which = ["--target", target, "-t", full(image), "--secret", f"id=pip,src={settings}", "-v", f"{wheels}:/wheels:ro"]
    how = ["--quiet", "--format", "docker", "--layers=false", "--network", "none"]
    engine.run("podman", "build", *how, *which, "-f", str(ROOT / "Dockerfile"), str(ROOT), seconds=BUILD_SECONDS)


def full(image: str) -> str:
    """The name by which an engine knows what the files call by a short one."""
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
