"""What is told about the rounds of a fit."""


class Monitor:
    """What happens around rounds: nothing here, callbacks and text elsewhere."""

    def begin(self, groups):
        """Note that training starts; all but trained weights is known."""

    def round_begin(self, round):
        """Note that a round starts."""

    def round_end(self, round, groups):
        """Note that a round has ended; return True to stop."""
        return False
