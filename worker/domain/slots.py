"""How many executions a worker runs at a time.

Pure. A slot is reserved before the claim, so a full worker never takes a tick from one that has room.
"""


class Slots:
    """A counter with a limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @property
    def free(self) -> int:
        return self.limit - self.used

    def try_reserve(self) -> bool:
        """Take a slot if there is one."""
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def release(self) -> None:
        """Give a slot back."""
        if self.used <= 0:
            raise ValueError("a slot was released that nobody had reserved")
        self.used -= 1
