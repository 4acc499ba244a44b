"""The click canvas: what a click, a box and a file do; no browser needed but for the last test."""

import io
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import torch

import lecture10.widgets
from lecture10.models.sam import PRESETS, SAM
from lecture10.widgets.sam_canvas import Clicker, answers_of, click_canvas, square

pytest.importorskip("anywidget")
SCRIPT = Path(lecture10.widgets.__file__).with_name("sam_canvas.js")
PLAY = Path(__file__).with_name("sam_canvas_without_browser.mjs")


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(0)
    return SAM(PRESETS["tiny"]).eval()


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_one_click_has_three_answers_the_surest_first_and_more_have_one(sam, image):
    clicker = Clicker(sam, image)
    masks, guessed = clicker.answer([[5, 9]], [1])
    assert masks.shape == (3, 32, 32)
    assert guessed.tolist() == sorted(guessed.tolist(), reverse=True)
    assert clicker.answer([[5, 9], [20, 3]], [1, 0])[0].shape == (1, 32, 32)
    assert clicker.answer([], [], [2, 3, 20, 25])[0].shape == (1, 32, 32)
    assert clicker.answer([[5, 9]], [1], [2, 3, 20, 25])[0].shape == (1, 32, 32)


def test_a_click_against_is_another_click(sam, image):
    clicker = Clicker(sam, image)
    a, b = (clicker.answer([[5, 9], [20, 3]], [1, label])[1] for label in (0, 1))
    assert not torch.equal(a, b)


def test_the_canvas_answers_each_prompt_and_says_what_cannot_be(sam, image):
    live = click_canvas(sam, {"one": image, "two": 1 - image})
    canvas = live.widget.children[1]
    menu, _own, wipe = live.widget.children[0].children
    assert len(canvas.answers) == 3
    assert "SAM's answers to 1 clicks" in repr(live)
    canvas.prompt = {"points": [[1, 2], [3, 4]], "labels": [1, 0], "box": None}
    assert len(canvas.answers) == 1
    canvas.prompt = {"points": [[1, 99]], "labels": [1], "box": None}
    assert "outside the picture" in canvas.says
    before = canvas.image
    menu.value = "two"
    assert canvas.image != before
    assert canvas.answers == []
    assert canvas.says == ""
    canvas.prompt = {"points": [], "labels": [], "box": [2, 2, 20, 20]}
    assert len(canvas.answers) == 1
    wipe.click()
    assert canvas.answers == []


def test_masks_travel_as_pictures(sam, image):
    found = answers_of(Clicker(sam, image), {"points": [[5, 9]], "labels": [1], "box": None})
    assert all(answer["mask"].startswith("data:image/png;base64,") for answer in found)
    assert answers_of(Clicker(sam, image), {"points": [], "labels": [], "box": None}) == []


def test_a_file_is_cut_to_its_middle_square():
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (90, 40), (255, 0, 0)).save(file, "PNG")
    image = square(file.getvalue(), 32)
    assert image.shape == (3, 32, 32)
    assert image.mean((1, 2)).tolist() == pytest.approx([1, 0, 0])
    with pytest.raises(ValueError, match="no picture that can be read"):
        square(b"not a picture", 32)


def test_no_picture_is_refused(sam):
    with pytest.raises(ValueError, match="one at least"):
        click_canvas(sam, {})


def test_a_click_is_answered_within_a_tenth_of_a_second():
    torch.manual_seed(0)
    big = SAM(PRESETS["laptop"]).eval()
    clicker = Clicker(big, torch.rand(3, 128, 128))
    prompt = {"points": [[60, 60]], "labels": [1], "box": None}
    answers_of(clicker, prompt)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        answers_of(clicker, prompt)
        times.append(time.perf_counter() - start)
    assert sorted(times)[0] < 0.1


def test_clicks_and_keys_reach_the_kernel(tmp_path):
    """The canvas' script under Node, with just enough of a browser pretended."""
    if (node := shutil.which("node")) is None:
        pytest.skip("Node is not installed")
    for source, name in ((SCRIPT, "sam_canvas.mjs"), (PLAY, PLAY.name)):
        (tmp_path / name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    ran = subprocess.run([node, PLAY.name], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    two, one, box, keyed, chosen, says = json.loads(ran.stdout)
    assert two["points"] == [[10, 20], [30, 30]]
    assert two["labels"] == [1, 0]  # the second with Shift
    assert one == [1]  # Backspace
    assert box == [10, 10, 50, 30]  # dragged from its last corner to its first
    assert keyed["points"] == [[66, 64]]  # after Escape: one step right of the middle
    assert keyed["labels"] == [0]
    assert keyed["box"] is None
    assert chosen == 1
    assert says == "hello"


PAGE = """<div id="here"></div><script type="module">
import widget from "./sam_canvas.js";
const state = {size: 128, image: "", answers: [], chosen: 0, says: "",
  prompt: {points: [], labels: [], box: null}};
window.state = state; const heard = {};
const model = {get: (k) => state[k], on: (n, f) => { heard[n] = f; }, save_changes: () => {},
  set: (k, v) => { state[k] = v; heard["change:" + k]?.(); }};
widget.render({model, el: document.getElementById("here")}); window.ready = true;
</script>"""


def test_the_canvas_in_a_real_browser(tmp_path):
    """Click, shift-click, drag, and the keys, as a headless Chromium sends them."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    import http.server
    import threading
    from functools import partial

    (tmp_path / "sam_canvas.js").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with playwright.sync_playwright() as p:
            browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.wait_for_function("window.ready")
            canvas = page.locator(".sam-main")
            canvas.click(position={"x": 30, "y": 60})
            canvas.click(position={"x": 90, "y": 90}, modifiers=["Shift"])
            prompt = page.evaluate("window.state.prompt")
            assert prompt["points"] == [[10, 20], [30, 30]]
            assert prompt["labels"] == [1, 0]
            canvas.press("Backspace")
            assert page.evaluate("window.state.prompt.labels") == [1]
            box = canvas.bounding_box()
            page.mouse.move(box["x"] + 30, box["y"] + 30)
            page.mouse.down()
            page.mouse.move(box["x"] + 150, box["y"] + 90)
            page.mouse.up()
            assert page.evaluate("window.state.prompt.box") == [10, 10, 50, 30]
            canvas.press("Escape")
            canvas.press("ArrowRight")
            canvas.press("Enter")
            assert page.evaluate("window.state.prompt.points") == [[66, 64]]
            browser.close()
    finally:
        server.shutdown()
