"""Ctrl-C that keeps what was learnt: the step at hand is finished first."""

import signal
import threading


class Interrupts:
    """Inside the block a first Ctrl-C only sets `pressed`; the loop looks at it between steps.

    A second one raises KeyboardInterrupt at once (a step may be long), but never while `updating`: half of
    the weights would be of the next step. Outside the main thread, where Python delivers no signals, this
    does nothing.
    """

    def __init__(self, active: bool = True):
        main = threading.current_thread() is threading.main_thread()
        self.active = active and main
        self.pressed = False
        self.updating = False
        self._before = None

    def __enter__(self) -> "Interrupts":
        if self.active:
            self._before = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_) -> None:
        if self.active:
            signal.signal(signal.SIGINT, self._before or signal.default_int_handler)

    def _on_signal(self, *_) -> None:
        again, self.pressed = self.pressed, True
        if again and not self.updating:
            raise KeyboardInterrupt
