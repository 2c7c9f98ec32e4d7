"""What a ClientError says may leave a site, so that it holds no cell and no label."""

import ast
import re
from pathlib import Path

import pytest

import skfed
from skfed.exceptions import ClientError
from skfed.preprocessing import FederatedSimpleImputer
from skfed.sites import SiteRunner
from skfed.sites._runner import _told
from tests.clients import make_clients
from tests.real_sites import ask, log_of, make_sites
from tests.sites.test_policy import recipe

HOME = Path(skfed.__file__).parent
# what runs at a site; the rest runs where the server is, and knows what it was told
ROOMS = ("alignment", "data", "nets", "personalization", "preprocessing")
ROOMS += ("strategies", "training")
SERVER = (
    r".*_server\.py|data/(?!_pool).*|training/_(schema|server|groups|rounds|n_targets"
)
SERVER += r"|newcomer|early_stopping|scopes)\.py|preprocessing/_table_columns\.py"
# counts, shapes and types; names of columns, clients and parameters
PLAIN = r"len\(.*\)|(\w+\.)*shape(\[\d\])?|type\(\w+\).__name__|(\w+\.)?min_count|name"
PLAIN += (
    r"|client|site\.name|self\.name|kind|kind_a|kind_b|n_columns|n_labels|step|task"
)
READ = {
    "alignment/_anchor_client.py": {"repeated"},  # of the server's own anchors
    "alignment/_auto.py": {"gaps", "why[choice]"},
    "alignment/_base.py": {"odd[:5]", "repeated", "type(self).__name__"},
    "alignment/_bins.py": {"numeric[0]", "others[0]"},
    "alignment/_factor.py": {"unknown"},
    "alignment/_federated_pca.py": {"unknown"},
    "alignment/_flic.py": {"turn - 1"},
    "alignment/_intersection.py": {"_no_column_left(statistics, owned_by, needed)"},
    "alignment/_names.py": {"value"},  # of a parameter
    "alignment/_optimal_transport.py": {"self.columns_", "sorted(given ^ set(known))"},
    "alignment/_prototype.py": {"message['n_columns']", "message['withheld']", "told"},
    "alignment/_score.py": {"numeric[0]", "others[0]"},
    "alignment/_score_client.py": {"estimator", "needed"},
    "data/_pool.py": {"a", "b", "n_rows(table)", "tuple(shape)", "type(pair).__name__"},
    "personalization/_members.py": {"list(members)"},
    "preprocessing/_categories.py": {
        "'dates' if kind == DATETIME else kind",
        "'text' if text else 'numbers'",
        "owner[False]",
        "owner[True]",
    },
    "preprocessing/_columns.py": {"doubled", "where"},
    "preprocessing/_composite.py": {
        "before",
        "exchange",
        "len(self._leaves) - self._n_done",
        "self.estimator",
        "self.n_exchanges",
        "sorted(exchanges)",
    },
    "preprocessing/_federated.py": {"values.shape[1]"},
    "preprocessing/_simple_imputer.py": {"value"},  # a text, in a column of numbers
    "preprocessing/_strata.py": {
        "int(missing.sum())",
        "owner[False]",
        "owner[True]",
    },
    "preprocessing/_table_encoder.py": {"names"},
    "strategies/_base.py": {"next(iter(problems.values()))"},
    "strategies/_heads.py": {"layer", "sorted(known)"},
    "training/_client.py": {"earlier[0]"},
    "training/_client_round.py": {"request"},
    "training/_describe.py": {
        "int(_any(pd.isna(target)).sum())",
        "label_kind(target) if target.dtype.kind not in 'Mm' else 'dates'",
        "n_rows(site.table)",
    },
    "training/_introduce.py": {"given", "int(pd.isna(target).sum())", "list(OF_TYPE)"},
    "training/_label_sets.py": {"result.n_targets"},
    "training/_rows.py": {"column"},
    "sites/_source.py": {"both", "clash", "data.url_env", "key", "missing"},
}


def files():
    for room in ROOMS:
        for path in sorted((HOME / room).glob("*.py")):
            if not re.fullmatch(SERVER, path.relative_to(HOME).as_posix()):
                yield path
    yield from (HOME / "sites" / name for name in ("_runner.py", "_source.py"))


def filled(tree):
    """Yield what is put into the texts of ClientErrors, as it is written."""
    chained = set()  # an error that has a cause is not told
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.cause is not None:
            chained.add(node.exc)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node in chained:
            continue
        if getattr(node.func, "id", "") not in ("ClientError", "ScopeError"):
            continue
        for text in node.args:
            if isinstance(text, ast.JoinedStr):
                holes = [v for v in text.values if isinstance(v, ast.FormattedValue)]
                yield from (ast.unparse(hole.value) for hole in holes)
            elif not isinstance(text, ast.Constant):
                yield ast.unparse(text)


def test_texts_hold_nothing_that_was_not_read():
    """Who adds to a text decides whether it may leave, and says so in READ."""
    found, unused = {}, {(file, each) for file, own in READ.items() for each in own}
    for path in files():
        file = path.relative_to(HOME).as_posix()
        for each in filled(ast.parse(path.read_text("utf-8"))):
            unused.discard((file, each))
            if each not in READ.get(file, ()) and not re.fullmatch(PLAIN, each):
                found.setdefault(file, []).append(each)
    assert not found
    assert not unused


def test_what_holds_a_cell_is_found():
    tree = ast.parse("raise ClientError(f'{name!r} holds {value!r}')")
    assert list(filled(tree)) == ["name", "value"]


@pytest.mark.parametrize("chained", [False, True])
def test_notes_and_causes_stay(chained):
    error = ClientError("the column 'ward' must hold numbers")
    error.add_note("Its first value is 'secret'.")
    if chained:
        error.__cause__ = ValueError("secret")
    assert "secret" not in _told(error)
    assert ("ward" in _told(error)) == (not chained)


def test_a_cell_in_the_way_stays_in_the_log(tmp_path):
    table, y = make_clients()["a"]
    table = table.assign(kind="secret")
    configs, _ = make_sites(tmp_path, {"a": (table, y)})
    runner = SiteRunner(configs[0])
    text = recipe(encoder=FederatedSimpleImputer(), aligner="passthrough")
    ask(runner, "prepare", {"recipe": text})
    told = {"seed": 0, "n_clients": 2, "client": 0}
    ask(runner, "describe", told, number=1)
    shared = {"classes": [0, 1, 2], "own_columns": False}
    reason = ask(runner, "align", shared, number=2).reason
    assert reason.startswith("ClientError: column ")
    assert "must hold numbers" in reason
    assert "secret" not in reason
    assert "secret" in log_of(configs[0])[-1]["trace"]


def test_a_table_that_cannot_be_read_is_not_described(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients())
    configs[0].data.csv.unlink()
    reason = ask(SiteRunner(configs[0]), "introduce").reason
    assert reason == "ClientError at the site, whose log says more"
