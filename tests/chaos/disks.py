"""A disk for each broker's log, which can be full and can stop answering: a file system in a file, mounted by a loop.

To mount one, a process needs the right to (`CAP_SYS_ADMIN`) and loop devices; where it lacks them, a run goes without
the faults of disks and says so.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

_SIZE_BYTES = 8 << 30  # sparse: only what is written takes space
_PROGRAMS = ("mkfs.ext4", "mount", "umount", "fsfreeze", "fallocate")


class Disk:
    """A mounted file system.

    Args:
        folder: Where to mount it; made here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image = folder.with_suffix(".disk")
        self._frozen = False
        folder.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(_SIZE_BYTES)
        _do("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(self._image))
        _do("mount", "-o", "loop", str(self._image), str(folder))
        (folder / "lost+found").rmdir()  # Kafka takes every folder for a partition
        self._filler = folder / ".filler"

    def fill(self) -> None:
        """Leave no byte free."""
        free = os.statvfs(self._folder)
        _do("fallocate", "-l", str(free.f_bavail * free.f_frsize), str(self._filler), check=False)
        with suppress(OSError), self._filler.open("ab") as filler:  # until there is no space left
            while True:
                filler.write(bytes(free.f_frsize))
                filler.flush()

    def empty(self) -> None:
        """Free what `fill` took."""
        self._filler.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Every write waits until `thaw`."""
        self._frozen = True
        _do("fsfreeze", "--freeze", str(self._folder))

    def thaw(self) -> None:
        """Write again; nothing if it is not frozen."""
        if self._frozen:
            _do("fsfreeze", "--unfreeze", str(self._folder))
            self._frozen = False

    def unmount(self) -> None:
        """End it; nobody may use it any more."""
        _do("umount", str(self._folder))


def can_mount() -> bool:
    """Whether this process may mount a file system from a file."""
    if not all(map(shutil.which, _PROGRAMS)):
        return False
    with tempfile.TemporaryDirectory(prefix="sluice-disk-") as folder:
        image = Path(folder) / "image"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        point = Path(folder) / "disk"
        point.mkdir()
        try:
            _do("mkfs.ext4", "-q", str(image))
            _do("mount", "-o", "loop", str(image), str(point))
            _do("umount", str(point))
        except subprocess.CalledProcessError:
            return False
    return True


def _do(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True, timeout=60)
