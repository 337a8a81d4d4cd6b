"use strict";
// Only what a reader without scripts can do without: filtering, opening what a link leads to, hints, printing.
(() => {
  const root = document.documentElement;
  const trials = [...document.querySelectorAll("details.trial")];
  const tests = [...document.querySelectorAll(".tests > li")];
  const cells = [...document.querySelectorAll("a.cell")];
  const form = document.getElementById("filter");
  const hint = document.getElementById("hint");
  root.classList.add("js");

  const texts = new Map();
  const textOf = (element) => {
    if (!texts.has(element)) texts.set(element, element.textContent.toLowerCase());
    return texts.get(element);
  };

  const filter = () => {
    const words = form.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const buttons = [...form.querySelectorAll("button")];
    const pressed = buttons.filter((button) => button.getAttribute("aria-pressed") === "true");
    const states = new Set(pressed.map((button) => button.dataset.show));
    // Also what has no state: a trial without a verdict.
    const all = pressed.length === buttons.length;
    const fits = (element) =>
      (all || states.has(element.dataset.state)) && words.every((word) => textOf(element).includes(word));
    for (const element of [...trials, ...tests]) element.hidden = !fits(element);
    for (const cell of cells) {
      const numbers = cell.dataset.trials.split(" ");
      cell.classList.toggle("off", numbers.every((number) => trials[number].hidden));
    }
    const visible = (elements) => elements.filter((element) => !element.hidden).length;
    const parts = [];
    if (trials.length) parts.push(`${visible(trials)} of ${trials.length} ${trials.length === 1 ? "trial" : "trials"}`);
    if (tests.length) parts.push(`${visible(tests)} of ${tests.length} of your tests`);
    form.querySelector("output").textContent = parts.join(", ");
  };

  // The trial whose body has the id that the address names, or the test that has it.
  const open = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* not one of ours */ }
    const found = id && document.getElementById(id)?.closest("details.trial, .tests > li");
    if (!found) return;
    // It may have been filtered out.
    found.hidden = false;
    if (found.tagName === "DETAILS") found.open = true;
    found.scrollIntoView();
    (found.querySelector("summary") ?? found).focus({ preventScroll: true });
  };

  // Why a cell says what it says: each reason once; of a single trial that passed, its verdicts.
  const reasonsOf = (cell) => {
    const reasons = new Map();
    const isGood = cell.classList.contains("PASS") && !cell.dataset.trials.includes(" ");
    for (const number of cell.dataset.trials.split(" ")) {
      for (const verdict of trials[number].querySelectorAll(".verdicts > li")) {
        const guarantee = verdict.querySelector("code").textContent;
        if (cell.dataset.guarantee && cell.dataset.guarantee !== guarantee) continue;
        if (verdict.querySelector(".badge.PASS") && !isGood) continue;
        const words = [...verdict.children].filter((part) => part.tagName !== "KBD").map((part) => part.textContent);
        reasons.set(words.join(" "), (reasons.get(words.join(" ")) ?? 0) + 1);
      }
    }
    return [...reasons].slice(0, 8).map(([reason, times]) => (times > 1 ? `${times} × ${reason}` : reason));
  };

  const tell = (cell) => {
    const reasons = [cell.getAttribute("aria-label"), ...reasonsOf(cell)];
    hint.replaceChildren(...reasons.map((reason) => {
      const line = document.createElement("p");
      line.textContent = reason;
      return line;
    }));
    hint.hidden = false;
    const place = cell.getBoundingClientRect();
    const below = place.bottom + 8 + hint.offsetHeight < innerHeight;
    hint.style.left = `${Math.max(8, Math.min(place.left, root.clientWidth - hint.offsetWidth - 8))}px`;
    hint.style.top = `${below ? place.bottom + 8 : Math.max(8, place.top - hint.offsetHeight - 8)}px`;
    cell.setAttribute("aria-describedby", "hint");
  };
  const hush = () => {
    hint.hidden = true;
    document.querySelector("[aria-describedby=hint]")?.removeAttribute("aria-describedby");
  };
  for (const [name, act] of [["mouseover", tell], ["focusin", tell], ["mouseout", hush], ["focusout", hush]]) {
    document.addEventListener(name, (event) => {
      const cell = event.target.closest?.("a.cell");
      if (cell) act(cell);
    });
  }
  addEventListener("scroll", hush, { passive: true });

  document.addEventListener("click", (event) => {
    // A second click on the same link changes no address, and should open all the same.
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) open();
    const button = event.target.closest?.("button[data-show]");
    if (!button) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
    const isTyping = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key !== "/" || isTyping || !form || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    form.querySelector("input").focus();
  });
  if (form) {
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }

  // On paper, what went wrong is open, and what passed is one line.
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const trial of trials) {
      if (trial.dataset.state === "PASS" || trial.open) continue;
      trial.open = true;
      opened.push(trial);
    }
  });
  addEventListener("afterprint", () => {
    for (const trial of opened.splice(0)) trial.open = false;
  });
  addEventListener("hashchange", open);
  open();
  root.dataset.ready = "true";
})();
