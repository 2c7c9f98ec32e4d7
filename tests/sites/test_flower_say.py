"""What a site that answers over Flower prints of a server's words."""

from skfed.sites._flower_site import _say


def test_a_server_does_not_command_the_terminal_of_a_site(capsys):
    _say("a message was refused: KeyError: '\x1b[2J'\nskfed-site: all is well\ud800")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.isascii() and told.rstrip("\n").isprintable()
