"""The journal of the audit trail on a real disk."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from common.domain.errors import ConfigError
from master.adapters.audit_journal import Journal, open_journal
from master.domain.audit import Outcome
from tests.unit.test_audit_chain import fact


@pytest.fixture
def crash() -> Iterator[ExitStack]:
    """Holds journals open without ever closing them properly, until the test is over."""
    with ExitStack() as stack:
        yield stack


def killed(folder: Path) -> None:
    """Let the locks of all journals in *folder* go, as the end of a process does: the files stay."""
    for path in folder.glob("*.journal"):
        copy = path.read_bytes()
        path.unlink()
        path.write_bytes(copy)


def spoil(folder: Path) -> None:
    """Half of the only line once more, and after it a whole one."""
    (file,) = folder.iterdir()
    whole = file.read_text()
    file.write_text(whole + whole[: len(whole) // 2] + whole.replace("fact-1", "fact-2"))


def text_in(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir())


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_what_a_dead_master_kept_is_taken_over(tmp_path: Path, crash: ExitStack):
    """Its outcomes as they were; an intent without an outcome as a failure nobody knows the end of."""
    dead = crash.enter_context(open_journal(tmp_path))
    dead.intend(fact(1))
    dead.intend(fact(2))
    dead.intend(fact(3))
    await dead.keep([fact(2)])
    dead.forget("fact-3")
    killed(tmp_path)

    with open_journal(tmp_path) as heir:
        unknown, known = await heir.pending()

    assert fact(2) == known
    assert ("fact-1", Outcome.FAILED) == (unknown.id, unknown.outcome)
    assert "before the outcome was known" in str(unknown.detail)


async def test_two_masters_of_one_directory_leave_each_other_alone(tmp_path: Path):
    """What a living one holds is its own."""
    with open_journal(tmp_path) as first:
        await first.keep([fact(1)])
        with open_journal(tmp_path) as second:
            assert (1, 0) == (first.waiting, second.waiting)


async def test_the_file_is_emptied_when_all_is_stored(tmp_path: Path):
    """It does not grow with the years; an intent that is open stays in it."""
    with open_journal(tmp_path) as journal:
        for number in range(300):
            await journal.keep([fact(number)])
        journal.intend(fact(999))
        while journal.waiting:
            journal.stored(await journal.pending())
        text = text_in(tmp_path)

    assert 1 == len(text.split())
    assert "fact-999" in text


async def test_a_finished_journal_leaves_no_file(tmp_path: Path):
    """A thousand starts leave a clean directory."""
    with open_journal(tmp_path) as journal:
        await journal.keep([fact(1)])
        journal.stored(await journal.pending())

    assert 0 == files_in(tmp_path)


async def test_a_full_journal_takes_no_more_and_says_so(tmp_path: Path):
    """The change goes on; the entry is in the log, and how many there were is known."""
    with open_journal(tmp_path, max_bytes=2_000) as journal:
        for number in range(50):
            await journal.keep([fact(number)])
        waiting = journal.waiting

        assert len(text_in(tmp_path)) < 4_000
        assert 50 == waiting + journal.take_lost()


async def test_half_a_line_costs_only_itself(tmp_path: Path):
    """A crash while writing, and the entries before and after it."""
    with open_journal(tmp_path) as before:
        await before.keep([fact(1)])
    spoil(tmp_path)

    with open_journal(tmp_path) as journal:
        assert ["fact-1", "fact-2"] == [found.id for found in await journal.pending()]


def test_a_directory_that_cannot_be_written_is_a_wrong_configuration(tmp_path: Path):
    """Said at the start, and not at the first change."""
    (tmp_path / "state").write_text("a file")

    with pytest.raises(ConfigError, match="stateDir"), open_journal(tmp_path / "state" / "audit"):
        pass


def test_entries_are_for_the_owner_only(tmp_path: Path):
    """They say who came from where."""
    with open_journal(tmp_path / "audit") as journal:
        assert isinstance(journal, Journal)
        (file,) = (tmp_path / "audit").iterdir()

        assert "0o600" == oct(os.stat(file).st_mode & 0o777)
