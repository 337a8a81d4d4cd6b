"""A plugin of Spyder that looks and changes nothing: it tells what the console shows, and takes pictures.

TFKERNEL_EYE is the descriptor of a socket. A line of JSON goes out whenever the console has been painted
with another text, and when the editor shows another file:

    at        time.monotonic(), which all processes of a machine share
    text      all of the console
    seen      the part of it that is in view
    file      the path of what is in the editor, or null
    dialogs   what Spyder asks: titles, and tracebacks where there are any
    window    the X window's number
    picture   the path of a picture that was asked for, or null

A line that comes in is a path: the screen, as the X server has it, is saved there. The end of the
socket is the end of the test, and so of Spyder.
"""

# mypy: disable-error-code="import-not-found, import-untyped, misc, untyped-decorator"

from __future__ import annotations

import json
import os
import socket
import time
from typing import Any, ClassVar

from qtpy.QtCore import QEvent, QPoint, QSocketNotifier, QTimer
from qtpy.QtGui import QTextCursor
from qtpy.QtWidgets import QApplication, QDialog
from spyder.api.plugin_registration.decorators import on_plugin_available
from spyder.api.plugins import Plugins, SpyderPluginV2


class Eye(SpyderPluginV2):
    """See the module."""

    NAME = "tfkernel_eye"
    CONF_SECTION = NAME
    CONF_FILE = False
    REQUIRES: ClassVar[list[str]] = [Plugins.IPythonConsole, Plugins.Editor]

    @staticmethod
    def get_name() -> str:
        return "Eye"

    @staticmethod
    def get_description() -> str:
        return "Tells a test what the console shows"

    @classmethod
    def get_icon(cls) -> Any:
        return cls.create_icon("eye")

    def on_initialize(self) -> None:
        self._socket = socket.socket(fileno=int(os.environ.pop("TFKERNEL_EYE")))
        # Not for the kernels.
        self._socket.set_inheritable(False)
        self._lines = self._socket.makefile()
        self._asked = QSocketNotifier(self._socket.fileno(), QSocketNotifier.Read, self)
        self._asked.activated.connect(lambda *_: self._take_picture())
        self._console: Any = None
        self._painted = ""

    @on_plugin_available(plugin=Plugins.IPythonConsole)
    def _on_console(self) -> None:
        self.get_plugin(Plugins.IPythonConsole).sig_shellwidget_created.connect(self._watch)

    @on_plugin_available(plugin=Plugins.Editor)
    def _on_editor(self) -> None:
        self.get_plugin(Plugins.Editor).sig_codeeditor_changed.connect(lambda _: self._tell())

    def _watch(self, shell: Any) -> None:
        self._console = shell.ipyclient.get_control()
        self._console.viewport().installEventFilter(self)

    def eventFilter(self, _: object, event: Any) -> bool:  # noqa: N802
        if event.type() == QEvent.Paint and self._painted != self._console.toPlainText():
            self._painted = self._console.toPlainText()
            # Once all of this paint has gone to the X server.
            QTimer.singleShot(0, self._tell)
        return False

    def _take_picture(self) -> None:
        path = self._lines.readline().rstrip("\n")
        if path:
            self._tell(path if QApplication.primaryScreen().grabWindow(0).save(path) else None)
        else:
            self._asked.setEnabled(False)
            QApplication.exit()

    def _tell(self, picture: str | None = None) -> None:
        look = {
            "at": time.monotonic(),
            "text": self._console.toPlainText() if self._console else "",
            "seen": self._seen() if self._console else "",
            "file": self.get_plugin(Plugins.Editor).get_current_filename(),
            "dialogs": [
                f"{widget.windowTitle()}: {getattr(widget, 'error_traceback', '')}"
                for widget in QApplication.topLevelWidgets()
                if isinstance(widget, QDialog) and widget.isVisible()
            ],
            "window": int(self.main.winId()),
            "picture": picture,
        }
        self._socket.sendall(json.dumps(look).encode() + b"\n")

    def _seen(self) -> str:
        view = self._console.viewport()
        cursor = self._console.cursorForPosition(QPoint(0, 0))
        end = self._console.cursorForPosition(QPoint(view.width() - 1, view.height() - 1)).position()
        cursor.setPosition(end, QTextCursor.KeepAnchor)
        # Qt's own sign for the end of a line.
        return str(cursor.selectedText()).replace("\u2029", "\n")
