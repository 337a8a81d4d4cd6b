"""Trials of a session: each is played once, with the spec that the session asks for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from pytest_tfkernel.model.errors import KernelStartError, TFKernelError
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.plugin.suite import playing
from pytest_tfkernel.plugin.suite.playing import Played, play

SETTING = Setting("forkserver", "graph_add", "sigkill")
LABELS = {"old": "first", "tf": "second"}
SEEN = Facts(SETTING, Interpreter(sys.executable, (3, 11, 7), None), None)


@dataclass
class Session:
    """What `play` asks of a session; `specs` are those of the trials that were played."""

    there_are_gpus: bool = False
    error: TFKernelError | None = None
    specs: list[KernelSpec] = field(default_factory=list)
    stash: pytest.Stash = field(default_factory=pytest.Stash)
    launcher: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(cold_starts=5))

    def observe(self, setting: Setting, stage: object, spec: KernelSpec) -> Facts[None]:
        self.specs.append(spec)
        self.launcher.cold_starts += 2
        if self.error is not None:
            raise self.error
        return SEEN


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    session = Session()
    interpreters = {label: Interpreter(path, (3, 11, 7), "2.21.0") for label, path in LABELS.items()}
    monkeypatch.setattr(playing, "options_of", lambda _: SimpleNamespace(kernelspec="mine"))
    stage = SimpleNamespace(launcher=session.launcher, gpus=SimpleNamespace(are_there=False))
    monkeypatch.setattr(playing, "observe", session.observe)
    monkeypatch.setattr(playing, "stage_of", lambda _: stage)
    monkeypatch.setattr(playing, "interpreters_of", lambda _: interpreters)
    monkeypatch.setattr(stage.gpus, "are_there", False)
    session.stage = stage  # type: ignore[attr-defined]
    return session


def ask(session: Session, setting: Setting = SETTING) -> Played:
    return play(session, setting)  # type: ignore[arg-type]


def test_whoever_asks_first_is_told_what_it_took(session: Session) -> None:
    first, second = ask(session), ask(session)
    assert (first.seen, first.is_new, first.cold_starts) == (SEEN, True, 2)
    assert first.seconds > 0
    assert (second, len(session.specs)) == (Played(SEEN), 1)


def test_each_setting_is_played(session: Session) -> None:
    ask(session)
    assert ask(session, Setting("forkserver", "graph_add", "sigterm")).is_new
    assert len(session.specs) == 2


def test_what_can_not_be_played_is_tried_once(session: Session) -> None:
    session.error = KernelStartError("out of processes")
    first, second = ask(session), ask(session)
    assert (first.seen, first.is_new, first.cold_starts) == (session.error, True, 2)
    assert (second.seen, len(session.specs)) == (session.error, 1)


def test_an_error_of_another_kind_is_not_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> Facts[None]:
        raise RuntimeError("broken")

    monkeypatch.setattr(playing, "observe", break_down)
    with pytest.raises(RuntimeError, match="broken"):
        ask(session)


@pytest.mark.parametrize(("label", "python"), [(None, "first"), ("tf", "second")])
def test_the_interpreter_is_that_of_the_setting(session: Session, label: str | None, python: str) -> None:
    ask(session, Setting("forkserver", "graph_add", "sigkill", kernel=label))
    assert session.specs[0].python == python


@pytest.mark.parametrize(("provisioner", "kernelspec"), [("jupyter", "mine"), ("spyder", None), ("forkserver", None)])
def test_a_kernelspec_is_for_jupyter(session: Session, provisioner: str, kernelspec: str | None) -> None:
    ask(session, Setting(provisioner, "graph_add", "sigkill"))
    assert getattr(session.specs[0].made_by, "kernelspec", None) == kernelspec


@pytest.mark.parametrize("there", [False, True])
def test_kernels_share_a_gpu_where_there_is_one(session: Session, there: bool) -> None:
    session.stage.gpus.are_there = there  # type: ignore[attr-defined]
    ask(session)
    assert ("TF_FORCE_GPU_ALLOW_GROWTH" in session.specs[0].environment) is there
