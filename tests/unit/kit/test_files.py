"""Files with secrets."""

from __future__ import annotations

from pathlib import Path

from homeostat.kit.files import write_private


def test_a_private_file_is_replaced_whole_and_shows_itself_to_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)
    (tmp_path / ".secret.partial").write_text("left by one who was killed")
    write_private(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [file]
