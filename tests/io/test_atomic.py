"""Atomic writes: the complete new file or the old one, and one clear line when it cannot be done."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.io import file_sha256, npz_bytes, write_bytes, write_json, write_npz, write_text

OLD = b"the old content"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_bytes(OLD)
    return path


def only_file(path: Path) -> bool:
    """Return whether no temporary file stayed behind."""
    return os.listdir(path.parent) == [path.name]


def test_new_and_replaced_files(tmp_path: Path) -> None:
    """Oracle: read back with the standard library; nothing else is left in the folder."""
    path = tmp_path / "out.bin"
    for data in (b"first", b"", b"x" * 100_000):
        assert write_bytes(path, data) == path
        assert path.read_bytes() == data
        assert only_file(path)
    write_text(str(path), "λ ≤ 1\n")
    assert path.read_text(encoding="utf-8") == "λ ≤ 1\n"


@pytest.mark.parametrize(
    ("step", "number", "says"),
    [
        ("fsync", errno.ENOSPC, "disk is full"),
        ("fsync", errno.EDQUOT, "quota"),
        ("fsync", errno.EIO, "Input/output error"),
        ("replace", errno.EACCES, "permission denied"),
        ("open", errno.EROFS, "read-only"),
        ("open", errno.EACCES, "permission denied"),
    ],
)
def test_a_failure_at_any_step_leaves_the_old_file(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, says: str
) -> None:
    """Oracle: by construction; the step of the operating system fails, the old bytes are still there."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(InputError, match=says) as caught:
        write_json(old, {"barrier": 1.0})
    monkeypatch.undo()
    assert str(old) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert old.read_bytes() == OLD
    assert only_file(old)


def test_an_interrupt_leaves_the_old_file(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction; Ctrl-C between writing and renaming goes on, with the old bytes in place."""

    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(old, b"new")
    assert old.read_bytes() == OLD
    assert only_file(old)


LIMITED = """
import resource, sys
from modeconn.errors import InputError
from modeconn.io import write_npz
import numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
write_npz(sys.argv[1], {"x": np.zeros(8)})
try:
    write_npz(sys.argv[1], {"x": np.ones(10_000)})
except InputError as error:
    print(error)
"""


def test_a_real_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """Oracle: the kernel (RLIMIT_FSIZE) cuts the write short; the small file written before is whole."""
    path = tmp_path / "numbers.npz"
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "larger than this system allows" in done.stdout
    assert done.stdout.count("\n") == 1
    with np.load(path) as arrays:
        assert arrays["x"].tolist() == [0.0] * 8
    assert only_file(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(old: Path) -> None:
    """Oracle: the kernel refuses."""
    os.chmod(old.parent, 0o500)
    try:
        with pytest.raises(InputError, match="permission denied"):
            write_bytes(old, b"new")
        assert old.read_bytes() == OLD
    finally:
        os.chmod(old.parent, 0o700)


def test_pipes_are_written_to_and_not_replaced(tmp_path: Path) -> None:
    """Oracle: the reader at the other end; what is no regular file, such as /dev/stdout, stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(pipe, b"data")
        assert os.read(reader, 100) == b"data"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert only_file(pipe)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "missing" / "file", "create it first"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / ("x" * 300), "name is too long"),
        (lambda folder: folder / "file\0name", "not a file name"),
    ],
)
def test_impossible_paths(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match=says):
        write_bytes(make(tmp_path), b"data")


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    """Oracle: by construction; the link stays a link, its target has the new bytes and its old mode."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(OLD)
    target.chmod(0o640)
    link.symlink_to(target)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_new_files_have_the_usual_mode(tmp_path: Path) -> None:
    """Oracle: a file made by plain ``open`` in the same process."""
    (tmp_path / "plain").write_bytes(b"")
    write_bytes(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_npz_bytes_are_reproducible_and_never_pickled(tmp_path: Path) -> None:
    """Oracle: equal arrays, equal bytes and SHA-256; an array of objects is refused."""
    arrays = {"x": np.arange(3.0), "names": np.array(["a", "b"])}
    write_npz(tmp_path / "one.npz", arrays)
    write_npz(tmp_path / "two.npz", arrays)
    assert file_sha256(tmp_path / "one.npz") == file_sha256(tmp_path / "two.npz")
    assert len(file_sha256(tmp_path / "one.npz")) == 64
    with pytest.raises(InputError, match="pickled"):
        npz_bytes({"x": np.array([None])})
    with pytest.raises(InputError, match="cannot read"):
        file_sha256(tmp_path / "three.npz")
