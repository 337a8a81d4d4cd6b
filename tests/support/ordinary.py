"""A folder of tests in which nearly everything happens, and how two runs of it are compared."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

CONFTEST = """
import logging, sys, pytest

ARGV = list(sys.argv)

def pytest_addoption(parser): parser.addoption("--colour", default="red")
def pytest_generate_tests(metafunc):
    if "generated" in metafunc.fixturenames: metafunc.parametrize("generated", ["x", "y"])
def pytest_runtest_setup(item): item.user_properties.append(("from_hook", "yes"))
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call": report.sections.append(("A section of ours", item.name[:20]))
    return report
def pytest_report_teststatus(report):
    if report.when == "call" and "odd" in report.keywords and report.passed: return "odd", "O", "ODD"
def pytest_assertrepr_compare(left): return ["specially compared"] if left == "special" else None
# In both processes, and printed once.
def pytest_runtest_logstart(nodeid): print("[logstart]")
def pytest_sessionfinish(): print("[sessionfinish]")
def pytest_warning_recorded(): print("[warned]")
print("conftest is read")

# Where another process runs them, tests have names there, and are no functions.
def names(items):
    shown = [item for item in items if hasattr(item, "function")]
    return [(item.name[:9], item.originalname, item.function.__name__, item.fixturenames, item.cls and item.cls.__name__,
             item.module.__name__, hasattr(item, "callspec") and sorted(item.callspec.params)) for item in shown[::5]]
def pytest_collection_finish(session): print(names(session.items))
def pytest_report_collectionfinish(items): return [str(names(items[:2]))]
def pytest_deselected(items): print("[deselected]", names(items))
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    if hasattr(item, "function"): item.user_properties.append(("lines", item.function.__code__.co_firstlineno))
    return (yield)
def pytest_exception_interact(node, call):
    # The report of a teardown waits until it is known how its process ends.
    if call.when != "teardown": print(f"[{node.name[:9]} has failed]")

@pytest.fixture(scope="session")
def once(tmp_path_factory): return tmp_path_factory.mktemp("shared")
@pytest.fixture(scope="module")
def per_module():
    yield print("set up of a module")
    print("teardown of a module")
"""
OUTCOMES = r"""
import logging, os, sys, warnings, pytest

def test_passes(): pass
def test_compares(): assert {"a": [1, 2]} == {"a": [1, 3]}
def test_special(): assert "special" == 1
def test_prints():
    print("out"); print("err", file=sys.stderr); logging.getLogger("us").warning("logged"); os.write(1, b"raw\n")
    raise ValueError("wrong\nin two lines")
@pytest.fixture
def bad_setup(): raise RuntimeError("set up")
@pytest.fixture
def bad_teardown():
    yield
    print("in the teardown"); raise RuntimeError("teardown")
def test_bad_setup(bad_setup): pass
def test_bad_teardown(bad_teardown): pass
def test_both(bad_teardown): assert 0
@pytest.fixture
def bad_twice(request):
    for error in (KeyError("one"), ValueError("two")): request.addfinalizer(lambda error=error: exec("raise error"))
def test_bad_twice(bad_twice): pass
@pytest.fixture
def twice():
    yield
    yield
def test_yields_twice(twice): pass
async def test_async(): pass
def test_no_fixture(nobody_has_this): pass
@pytest.mark.skip(reason="because")
def test_skipped(): pass
def test_skips(): pytest.skip("inside")
@pytest.mark.xfail(reason="known")
def test_expected(): assert 0
@pytest.mark.xfail(strict=True)
def test_unexpected(): pass
@pytest.mark.odd
def test_odd(): pass
@pytest.mark.parametrize(
    "value", ["a\nb", "a/b", "x" * 10000, "::", "[", "\x1b[31m", b"\xff", "", object()]
)
def test_ids(value): assert value != "a/b"
@pytest.mark.parametrize("value", [1, 1], ids=["same", "same"])
def test_same(value): pass
@pytest.mark.parametrize("value", [])
def test_none_of_them(value): pass
def test_generated(generated): assert generated == "x"
def test_warns(): warnings.warn("a warning of a test")
def test_chain():
    try: 1 / 0
    except ZeroDivisionError as error: raise KeyError("chain") from error
class Unprintable(Exception):
    def __repr__(self): raise RuntimeError("no repr")
    __str__ = __repr__
def test_unprintable(): raise Unprintable()
def test_unpicklable(): raise type("Odd", (Exception,), {})(lambda: 0)
def test_system_exit(): sys.exit(3)
def test_no_trace(): pytest.fail("no trace", pytrace=False)
"""
FIXTURES = r"""
import logging, os, sys, pytest

def test_folder(tmp_path, tmpdir): assert tmp_path.name == "test_folder0" and str(tmpdir) == str(tmp_path)
@pytest.mark.parametrize("x", [1, 2])
def test_folders(tmp_path, x): assert tmp_path.name == f"test_folders_{x}_0"
def test_kept(tmp_path): (tmp_path / "kept").write_text("x"); assert 0
def test_shared(once): assert once.name == "shared0"
def test_capsys(capsys): print("x"); assert capsys.readouterr().out == "x\n"
def test_capfd(capfd): os.write(1, b"x"); assert capfd.readouterr().out == "x"
def test_disabled(capsys):
    with capsys.disabled(): print("seen by all")
def test_disabled_for_programs(capfd):
    with capfd.disabled(): os.system("echo seen from a program")
def test_caplog(caplog):
    caplog.set_level(logging.DEBUG); logging.debug("debugging"); assert caplog.messages == ["debugging"]
def test_cache(pytestconfig): pytestconfig.cache.set("us/value", [1]); assert pytestconfig.cache.get("us/value", 0) == [1]
def test_options(pytestconfig): assert pytestconfig.getoption("colour") == "red"
def test_argv():
    import conftest
    assert conftest.ARGV == sys.argv
def test_current(): assert os.environ["PYTEST_CURRENT_TEST"].endswith("test_current (call)")
def test_module(per_module): assert 0
def test_section(request): request.node.add_report_section("call", "mine", "text"); assert 0
def test_marker(request): request.node.add_marker(pytest.mark.xfail(reason="added")); assert 0
def test_property(record_property): record_property("key", ("a", 2))
def test_suite(record_testsuite_property): record_testsuite_property("arch", "PPC & <>")
def test_bad_suite(record_testsuite_property): record_testsuite_property(1, 2)
def test_attribute(record_xml_attribute): record_xml_attribute("assertions", 7); record_xml_attribute("classname", "Other")
"""
UNIT = """
import unittest

class TestUnit(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.value = 1
    def setUp(self): self.addCleanup(print, "cleaned")
    def test_equal(self): self.assertEqual(self.value, 2)
    @unittest.skip("unit skip")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail("x")
    @unittest.expectedFailure
    def test_unexpected(self): pass
class TestBroken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError("broken class")
    def test_never(self): pass
"""
# With the cache, pytest itself fails on it.
SURROGATES = r"""
import pytest

@pytest.mark.parametrize("value", ["\udc80"])
def test_surrogate(value): assert value == "\udc80"
"""
# Of pytest 9.
SUBTESTS = """
import pytest

def test_several(subtests):
    for i in range(4):
        with subtests.test("named", i=i):
            print("in", i)
            if i == 3: pytest.skip("one")
            assert i % 2 == 0
def test_itself(subtests):
    with subtests.test("a"): assert 0
    assert 1 == 3
"""
DOCUMENTED = '''
def documented():
    """
    >>> documented()
    4
    """
    return 3
'''
NESTED_CONFTEST = """
import pytest

@pytest.fixture
def nested(): return "nested"
def pytest_make_parametrize_id(val): return f"made-{val}"
"""
NESTED = """
import pytest

@pytest.mark.parametrize("value", [1])
def test_nested(nested, value): assert nested == "nested"
"""
LEFT_OUT = """
import pytest

pytest.skip("a whole module", allow_module_level=True)
"""
FILES = {
    "conftest.py": CONFTEST,
    "test_outcomes.py": OUTCOMES,
    "test_fixtures.py": FIXTURES,
    "test_unit.py": UNIT,
    "documented.py": DOCUMENTED,
    "test_left_out.py": LEFT_OUT,
    "nested/conftest.py": NESTED_CONFTEST,
    "nested/test_nested.py": NESTED,
}

_SECONDS = re.compile(r"\d+\.\d+ ?s\b|\b0:00:\d\d\b")
_ADDRESSES = re.compile(r"0x[0-9a-f]+")
# What `record_testsuite_property` is.
_RECORDERS = re.compile(r"(<|&lt;)bound method (LogXML|Records)\..*(>|&gt;)")
# What only an isolated run tells at its end.
_SUMMARY = re.compile(r"^=+ tfkernel isolation =+\n(?:(?!(?:\x1b\[\d*m)*[=!_-]{3}).*\n)*", re.MULTILINE)
_FRAME = re.compile(r"[=-]{3,}")


def words(text: str) -> list[str]:
    """The lines of what pytest prints, without what differs from run to run: times, addresses, how wide a rule is."""
    text = _SUMMARY.sub("", text)
    text = _RECORDERS.sub("recorder", _ADDRESSES.sub("0x", _SECONDS.sub("N s", text)))
    return [
        _FRAME.sub("---", line).rstrip() for line in text.splitlines() if not line.startswith("tfkernel isolation:")
    ]


def junit(path: Path) -> list[str]:
    """The lines of a JUnit report, without times."""
    tree = ET.parse(path)
    for element in tree.iter():
        for name in ("time", "timestamp"):
            element.attrib.pop(name, None)
    ET.indent(tree)
    return words(ET.tostring(tree.getroot(), encoding="unicode"))
