"""Files are written whole or not at all, and read up to a size."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from saving import save_while_written

from reconciler.errors import ReportError
from reconciler.files.write import check_writable, read_bounded, rewrite, write_whole


def test_a_new_file_has_the_text_and_an_ordinary_mode(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_text("")
    file = tmp_path / "report.md"
    write_whole(file, "Grüße\r\n☕\n")
    assert file.read_bytes() == "Grüße\r\n☕\n".encode()
    assert file.stat().st_mode == ordinary.stat().st_mode
    assert sorted(tmp_path.iterdir()) == [ordinary, file]


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    file.chmod(0o640)
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_that_root_replaces_keeps_its_owner_and_group(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    file.chmod(0o640)
    os.chown(file, 1234, 5678)
    write_whole(file, "new")
    status = file.stat()
    assert (file.read_text(), status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == ("new", 1234, 5678, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_that_a_colleague_replaces_keeps_its_group() -> None:
    # Other users have no access to pytest's temporary folders.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.yaml"
        file.write_text("old")
        file.chmod(0o660)
        os.chown(file, 1234, 5678)
        file.parent.chmod(0o777)
        become = "os.setgroups([5678]); os.setgid(4321); os.setuid(4321)"
        imports = "import os, pathlib, tempfile, reconciler.files.write as w"
        script = f"{imports}; {become}; w.write_whole(pathlib.Path('{file}'), 'new')"
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
        status = file.stat()
        assert (file.read_text(), status.st_uid, status.st_gid) == ("new", 4321, 5678)


def test_a_text_that_would_fit_only_in_part_cannot_be_written(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(ReportError, match="cannot be written: File too large"):
            check_writable(tmp_path / "a.yaml", "x" * 150_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    check_writable(tmp_path / "a.yaml", "x" * 150_000)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_old_file_stays(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be written: No such file or directory") as error_info:
        write_whole(tmp_path / "missing" / "a.md", "new")
    assert error_info.value.where == str(tmp_path / "missing" / "a.md")
    assert error_info.value.hint
    folder = tmp_path / "folder.md"
    folder.mkdir()
    with pytest.raises(ReportError, match="Is a directory"):
        write_whole(folder, "new")
    assert list(tmp_path.iterdir()) == [folder], "the temporary file is gone"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_text_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ReportError):
        write_whole(Path("/dev/full/x"), "new")


def test_reading_within_bounds(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf" + b"x" * 10)
    assert read_bounded(file, 13) == "x" * 10
    with pytest.raises(ReportError, match="larger than 0 MiB"):
        read_bounded(file, 12)
    file.write_bytes(b"\xff")
    with pytest.raises(ReportError, match="not UTF-8"):
        read_bounded(file, 100)
    with pytest.raises(ReportError, match="cannot be read: No such file"):
        read_bounded(tmp_path / "b.json", 100)
    with pytest.raises(ReportError, match="cannot be read: Is a directory"):
        read_bounded(tmp_path, 100)


@pytest.mark.parametrize("before", ["", "old"])
def test_what_somebody_saves_during_the_write_stays(tmp_path: Path, before: str) -> None:
    file = tmp_path / "a.yaml"
    if before:
        file.write_text(before)
    with (
        save_while_written(file, "an edit"),
        pytest.raises(ReportError, match="was changed in the meantime"),
    ):
        rewrite(file, before, "new" * 10_000_000)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.yaml", "an edit")]


def test_a_file_is_rewritten_while_it_holds_what_was_read(tmp_path: Path) -> None:
    file, link = tmp_path / "folder" / "a.yaml", tmp_path / "link.yaml"
    rewrite(file, "", "old")
    with pytest.raises(ReportError, match="was changed in the meantime"):
        rewrite(file, "", "new")
    link.symlink_to(file)
    file.write_text("\ufeffold", "utf-8")
    rewrite(link, "old", "new")
    assert (link.is_symlink(), file.read_text("utf-8")) == (True, "\ufeffnew")
    with pytest.raises(ReportError, match="was changed in the meantime"):
        rewrite(file, "old", "newer")
    assert file.read_text("utf-8") == "\ufeffnew"
    file.write_bytes(b"\xff")
    with pytest.raises(ReportError, match="cannot be read any more: not UTF-8 text"):
        rewrite(file, "new", "newer")
    file.unlink()
    with pytest.raises(ReportError, match="cannot be read any more: No such file"):
        rewrite(file, "new", "newer")


def test_the_umask_is_left_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", "x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
