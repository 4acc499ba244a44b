// A picture to click on. Click: it belongs to the thing; shift-click: it does not; drag: a box around it.
// Keys: arrows move the cross, Enter clicks (with Shift: against), Backspace takes the last click back, Escape
// all of them, 1 2 3 choose a mask. The kernel is told `prompt` and answers with `answers`.
function render({ model, el }) {
  const side = 384, size = model.get("size"), zoom = side / size;
  el.innerHTML = `<div style="display:flex;gap:16px;flex-wrap:wrap">
    <canvas class="sam-main" tabindex="0" role="application" width="${side}" height="${side}"
      aria-label="picture to click on; arrows move, Enter clicks, Shift+Enter clicks against, Escape clears"
      style="cursor:crosshair;touch-action:none"></canvas>
    <div class="sam-answers" style="display:flex;flex-direction:column;gap:8px"></div></div>
    <div class="sam-says" aria-live="polite" style="margin-top:6px"></div>`;
  const canvas = el.querySelector(".sam-main"), pen = canvas.getContext("2d");
  const list = el.querySelector(".sam-answers"), says = el.querySelector(".sam-says");
  let cross = [size / 2, size / 2], start = null, drag = null, keys = false;

  const load = (url) => new Promise((done) => {
    if (!url) return done(null);
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => done(null);
    image.src = url;
  });
  const prompt = () => JSON.parse(JSON.stringify(model.get("prompt")));
  const tell = (next) => { model.set("prompt", { ...next, sent: Date.now() }); model.save_changes(); };
  const clear = () => tell({ points: [], labels: [], box: null });
  const click = ([x, y], against) => {
    const next = prompt();
    next.points.push([x, y].map((c) => Math.min(size - 1, Math.max(0, Math.floor(c)))));
    next.labels.push(against ? 0 : 1);
    tell(next);
  };
  const undo = () => {
    const next = prompt();
    if (next.points.length) { next.points.pop(); next.labels.pop(); } else { next.box = null; }
    tell(next);
  };
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    const [u, v] = [event.clientX - frame.left, event.clientY - frame.top];
    return [(u / frame.width) * size, (v / frame.height) * size];
  };

  let turn = 0;
  async function draw() {
    const mine = ++turn; // pictures load in their own time: an older drawing must not cover a newer one
    const answers = model.get("answers"), chosen = Math.min(model.get("chosen"), answers.length - 1);
    const [picture, mask] = await Promise.all([load(model.get("image")), load(answers[chosen]?.mask)]);
    if (mine !== turn) return;
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, side, side);
    if (picture) pen.drawImage(picture, 0, 0, side, side);
    if (mask) pen.drawImage(mask, 0, 0, side, side);
    const { points, labels, box } = model.get("prompt");
    const shown = drag && start ? [...start, ...drag] : box;
    if (shown) {
      pen.setLineDash([6, 4]); pen.lineWidth = 2; pen.strokeStyle = "black";
      const [x0, y0, x1, y1] = shown.map((c) => c * zoom);
      pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
      pen.setLineDash([]);
    }
    points.forEach(([x, y], i) => {
      const [u, v] = [(x + 0.5) * zoom, (y + 0.5) * zoom];
      pen.beginPath(); pen.arc(u, v, 8, 0, 7); pen.fillStyle = "white"; pen.fill();
      pen.lineWidth = 2; pen.strokeStyle = "black"; pen.stroke();
      pen.beginPath(); pen.moveTo(u - 5, v); pen.lineTo(u + 5, v);
      if (labels[i]) { pen.moveTo(u, v - 5); pen.lineTo(u, v + 5); }
      pen.stroke();
    });
    if (keys) {
      const [u, v] = cross.map((c) => (c + 0.5) * zoom);
      pen.lineWidth = 1; pen.strokeStyle = "#D55E00"; pen.beginPath();
      pen.moveTo(u - 12, v); pen.lineTo(u + 12, v); pen.moveTo(u, v - 12); pen.lineTo(u, v + 12);
      pen.stroke();
    }
    list.replaceChildren(...answers.map((answer, i) => {
      const button = document.createElement("button");
      const edge = i === chosen ? "#D55E00" : "#ccc";
      button.style.cssText = `border:3px solid ${edge};background:white;padding:2px`;
      button.setAttribute("aria-pressed", i === chosen);
      button.innerHTML = `<img alt="mask ${i + 1}" width="96" height="96" src="${answer.thumb}"><br>` +
        `${i + 1}: guesses IoU ${answer.guessed.toFixed(2)}`;
      button.onclick = () => { model.set("chosen", i); model.save_changes(); };
      return button;
    }));
    says.textContent = model.get("says");
  }

  canvas.addEventListener("pointerdown", (event) => {
    start = at(event);
    drag = null;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const here = at(event);
    if (Math.hypot(here[0] - start[0], here[1] - start[1]) > 3) { drag = here; draw(); }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    if (drag) {
      const order = (i) => [start[i], drag[i]].sort((a, b) => a - b);
      const [x0, x1] = order(0), [y0, y1] = order(1);
      const inside = (c) => Math.min(size - 1, Math.max(0, Math.round(c)));
      const box = [inside(x0), inside(y0), inside(x1), inside(y1)];
      if (box[2] > box[0] && box[3] > box[1]) tell({ ...prompt(), box });
    } else click(start, event.shiftKey);
    start = drag = null;
  });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = event.shiftKey ? 8 : 2;
    if (moves[event.key]) {
      keys = true;
      cross = cross.map((c, i) => Math.min(size - 1, Math.max(0, c + step * moves[event.key][i])));
      draw();
    } else if (event.key === "Enter") { keys = true; click(cross, event.shiftKey); }
    else if (event.key === "Backspace") undo();
    else if (event.key === "Escape") clear();
    else if ("123".includes(event.key)) { model.set("chosen", Number(event.key) - 1); model.save_changes(); }
    else return;
    event.preventDefault(); event.stopPropagation();
  });
  for (const name of ["image", "answers", "chosen", "says", "prompt"]) model.on(`change:${name}`, draw);
  draw();
}
export default { render };
