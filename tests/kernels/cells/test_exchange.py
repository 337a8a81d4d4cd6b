"""Requests and answers, with one life of a light kernel; a few things no kernel of ours says are put in its mouth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfkernel.kernels.cells import exchange, values
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied, KernelHung, KernelStartError, SpecError, TooLargeError
from pytest_tfkernel.model.kernels import KernelSpec, NotCarried
from pytest_tfkernel.processes.wire import ChannelLateError

StartKernel = Callable[..., Kernel]
SECONDS = 30.0


def cell(text: str) -> dict[str, Any]:
    return {"kind": "execute", "cell": text, "interactive": True, "marks": True}


@pytest.fixture
def life(kernel: Kernel) -> Life:
    return kernel.life


class TestAsk:
    def test_the_reply_has_value_output_and_no_error(self, life: Life) -> None:
        reply = exchange.ask(life, cell("print('said'); 6 * 7"), SECONDS)
        assert (reply.ok, reply.value, reply.stdout, reply.stderr, reply.error) == (True, 42, "said\n", "", None)

    def test_output_is_that_of_this_request(self, life: Life) -> None:
        exchange.ask(life, cell("print('one')"), SECONDS)
        assert exchange.ask(life, cell("print('two')"), SECONDS).stdout == "two\n"

    def test_marks_are_told_in_their_order(self, life: Life) -> None:
        seen: list[str] = []
        reply = exchange.ask(life, cell("_tfkernel_mark('in'); _tfkernel_mark('out'); 1"), SECONDS, seen.append)
        assert (seen, reply.value) == (["in", "out"], 1)

    def test_marks_that_nobody_wants_are_passed_over(self, life: Life) -> None:
        assert exchange.ask(life, cell("_tfkernel_mark('in'); 1"), SECONDS).value == 1

    def test_a_value_without_a_form_says_why(self, life: Life) -> None:
        value = exchange.ask(life, cell("object()"), SECONDS).value
        assert isinstance(value, NotCarried)
        assert "object" in value.reason

    def test_what_is_too_large_to_send_harms_nothing(self, life: Life) -> None:
        with pytest.raises(TooLargeError):
            exchange.ask(life, cell("#" * (65 << 20)), SECONDS)
        assert exchange.ask(life, cell("1"), SECONDS).value == 1

    def test_a_death_is_told_with_its_post_mortem(self, life: Life) -> None:
        with pytest.raises(KernelDied) as caught:
            exchange.ask(life, cell("import os; os._exit(3)"), SECONDS)
        assert caught.value.post_mortem is life.post_mortem
        assert str(caught.value.post_mortem.exit_status) == "exit code 3"

    def test_a_value_that_cannot_be_read_ends_the_kernel(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: object) -> None:
            raise ValueError("no such form")

        monkeypatch.setattr(values, "decode", refuse)
        with pytest.raises(KernelDied) as caught:
            exchange.ask(life, cell("1"), SECONDS)
        assert caught.value.post_mortem.note == "its reply makes no sense (no such form), so it was ended"


class TestReceive:
    def test_the_answer_to_an_interrupted_request_is_passed_over(self, life: Life) -> None:
        life.send(cell("1"))
        number = life.send(cell("2"))
        assert exchange.receive(life, SECONDS, number)["value"] == values_of(life, "2")

    @pytest.mark.parametrize(
        "busy", ["while True: pass", "while True: _tfkernel_mark('again')"], ids=["silent", "talks"]
    )
    def test_neither_silence_nor_talk_has_more_than_its_time(self, life: Life, busy: str) -> None:
        with pytest.raises(KernelHung) as caught:
            exchange.ask(life, cell(busy), 0.3)
        assert caught.value.post_mortem.note == "no reply for 0.3 s, so it was ended"
        # It was asked where it is.
        assert "<cell" in caught.value.post_mortem.stack
        assert not life.is_alive

    def test_a_message_without_an_end_is_no_reply(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(_: float) -> None:
            raise ChannelLateError

        number = life.send(cell("1"))
        monkeypatch.setattr(life, "receive", never)
        with pytest.raises(KernelHung):
            exchange.receive(life, SECONDS, number)

    def test_a_host_that_has_failed_says_why(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        number = life.send(cell("1"))
        monkeypatch.setattr(life, "receive", lambda _: {"kind": "failed", "error": "its host lost it"})
        with pytest.raises(KernelDied) as caught:
            exchange.receive(life, SECONDS, number)
        assert caught.value.post_mortem.note == "it was ended, since its host lost it"

    def test_a_closed_channel_is_the_end(self, life: Life) -> None:
        with pytest.raises(KernelDied) as caught:
            exchange.ask(life, cell("import os; os.closerange(3, 100)\nwhile True: pass"), SECONDS)
        assert caught.value.post_mortem.note == "its channel was closed while it lived, so it was ended"


class TestGreet:
    def test_a_startup_cell_that_fails_is_shown(self, start: StartKernel) -> None:
        with pytest.raises(KernelStartError, match="the startup cell failed with ZeroDivisionError") as caught:
            start(startup="1 / 0")
        assert "Traceback" in str(caught.value)

    def test_a_death_at_the_start_is_no_start(self, start: StartKernel) -> None:
        with pytest.raises(KernelStartError, match="the kernel did not start: .*exit code 3"):
            start(startup="import os; os._exit(3)")

    def test_a_startup_cell_is_not_the_last_one(self, start: StartKernel) -> None:
        kernel = start(startup="there = 1")
        assert kernel.life.last_cell is None
        assert exchange.ask(kernel.life, cell("there"), SECONDS).value == 1

    def test_nothing_lives_where_the_caller_was_interrupted(
        self, start: StartKernel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lives = []

        def interrupted(life: Life, *_: object) -> None:
            lives.append(life)
            raise KeyboardInterrupt

        monkeypatch.setattr(exchange, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            start()
        (life,) = lives
        assert life.post_mortem is not None
        assert life.post_mortem.note == "it was ended, since whoever started it was interrupted"


class TestBeforeAnythingIsDone:
    @pytest.mark.parametrize("given", [0, -1, float("nan"), "1", [1]], ids=repr)
    def test_what_is_no_deadline_is_refused(self, given: object) -> None:
        with pytest.raises(ValueError, match="must be seconds above 0"):
            exchange.seconds_for(KernelSpec(), given)  # type: ignore[arg-type]

    def test_without_one_that_of_the_spec_holds(self) -> None:
        assert exchange.seconds_for(KernelSpec(timeout=7), None) == 7
        assert exchange.seconds_for(KernelSpec(timeout=7), 2) == 2

    def test_what_is_no_cell_is_refused(self) -> None:
        with pytest.raises(TypeError, match="int"):
            exchange.request_for(1, KernelSpec(), interactive=True)  # type: ignore[arg-type]

    @pytest.mark.parametrize("interactive", [True, False])
    def test_a_request_says_how_its_cell_runs(self, *, interactive: bool) -> None:
        request = exchange.request_for("1", KernelSpec(), interactive=interactive)
        assert request == {"kind": "execute", "cell": "1", "interactive": interactive}

    def test_a_managed_kernel_runs_no_script(self) -> None:
        spec = KernelSpec(provisioner="jupyter")
        assert exchange.request_for("1", spec, interactive=True)["interactive"] is True
        with pytest.raises(SpecError, match="a jupyter kernel runs interactive cells only"):
            exchange.request_for("1", spec, interactive=False)


def values_of(life: Life, text: str) -> object:
    """The form of a value on its way."""
    return exchange.receive(life, SECONDS, life.send(cell(text)))["value"]
