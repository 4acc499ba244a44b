"""Outputs in a normal form: what was computed stays, what differs from run to run or by machine goes."""

import base64
import re
import struct
from collections.abc import Iterator

from nbformat import NotebookNode

from lecture10.backstage.book import Book, BookError, first_line, settle_ids

WIDGET = "application/vnd.jupyter.widget-view+json"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
NOISE = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted", "widgets", "colab", "outputId")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # what the picture is; not who drew it, nor when


def normalise(book: Book) -> None:
    """Bring an executed notebook, in place, into the one form that is stored: a second run gives equal bytes.

    Raises BookError, naming the cell, where a cell wrote to stderr or shows a memory address: both differ
    from run to run, and both have a cure in the cell.
    """
    settle_ids(book.nb)
    about = book.nb.metadata.get("lecture10", {})
    book.nb["metadata"] = NotebookNode(
        kernelspec=NotebookNode(KERNELSPEC), language_info=NotebookNode(name="python"), lecture10=about
    )
    book.nb.nbformat, book.nb.nbformat_minor = 4, 5
    count = 0
    for number, cell in book.cells:
        for key in NOISE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            ran = bool(cell.source.strip())
            count += ran
            _normalise_cell(book, number, cell, count if ran else None)


def _normalise_cell(book: Book, number: int, cell: NotebookNode, count: int | None) -> None:
    cell.execution_count = count
    cell.outputs = _joined_streams(cell.outputs)
    where = f"{book.name}, cell {number} ({first_line(cell.source)})"
    for output in cell.outputs:
        output.pop("transient", None)
        if output.get("name") == "stderr":
            said = output.text.strip().splitlines()[-1][:200]
            raise BookError(
                f"{where} wrote to stderr: {said!r}. Cure the warning, or silence that one in the cell; "
                "stderr is never stored"
            )
        if output.output_type == "execute_result":
            output.execution_count = count
        if output.output_type == "error":  # a raises-exception cell: frames hold this machine's paths
            output.traceback = [f"{output.ename}: {output.evalue}"]
        _normalise_data(output.get("data", {}))
        for text in texts(output):
            if found := ADDRESS.search(text):
                raise BookError(
                    f"{where} shows the memory address {found[0]}, different in each run: end the cell with "
                    "plt.show() or print(...), or give the object a __repr__"
                )


def _joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream as one output: where the kernel cuts them depends on its mood."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _normalise_data(data: NotebookNode) -> None:
    if WIDGET in data:
        data[WIDGET]["model_id"] = "widget"
    if "image/png" in data:
        png = strip_png(base64.b64decode(data["image/png"]))
        data["image/png"] = base64.b64encode(png).decode("ascii")


def texts(output: NotebookNode) -> Iterator[str]:
    """Everything in an output that is text: streams, text/plain, text/html and their like, exceptions."""
    yield from (output[key] for key in ("text", "evalue") if key in output)
    for kind, value in output.get("data", {}).items():
        if isinstance(value, str) and (kind.startswith("text/") or kind == "image/svg+xml"):
            yield value


def strip_png(data: bytes) -> bytes:
    """A PNG without its comments (software, version, date, resolution); other bytes come back unchanged."""
    if not data.startswith(PNG_HEAD):
        return data
    kept, at = [PNG_HEAD], len(PNG_HEAD)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunk = data[at : at + 12 + length]
        if chunk[4:8] in PNG_KEPT:
            kept.append(chunk)
        at += len(chunk)
    return b"".join(kept)
