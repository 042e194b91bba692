"use strict";
// Filters, search and printing. Without it the page is whole, only not searchable.
(() => {
  const cards = [...document.querySelectorAll("#cards > li")];
  if (!cards.length) return;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const search = one("search"), count = one("count"), none = one("none");
  const unfold = one("unfold"), clear = one("clear");
  const toggles = all("button[aria-pressed]");
  const texts = new Map();

  const pressed = (name) =>
    new Set(toggles.filter((button) => name in button.dataset && button.ariaPressed === "true")
      .map((button) => button.dataset[name]));
  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const shown = () => cards.filter((card) => !card.hidden);

  const update = () => {
    const statuses = pressed("status"), origins = pressed("origin");
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards) {
      const origin = card.dataset.origin.split(" ");
      card.hidden = !((!statuses.size || card.dataset.status.split("|").some((one) => statuses.has(one)))
        && (!origins.size || origin.some((kind) => origins.has(kind)))
        && words.every((word) => text(card).includes(word)));
    }
    const number = shown().reduce((sum, card) => sum + Number(card.dataset.number), 0);
    const total = Number(one("cards").dataset.total);
    const noun = total === 1 ? "assistant" : "assistants";
    count.textContent = number === total ? `${number} ${noun}` : `${number} of ${total} ${noun}`;
    none.hidden = shown().length > 0;
    clear.hidden = !statuses.size && !origins.size && !words.length;
    relabel();
  };
  const relabel = () => {
    const foldable = shown().map((card) => card.querySelector("details")).filter(Boolean);
    unfold.hidden = !foldable.length;
    unfold.textContent = foldable.length && foldable.every((part) => part.open) ? "Collapse all" : "Expand all";
  };

  for (const button of toggles) {
    button.disabled = false;
    button.addEventListener("click", () => {
      button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
      update();
    });
  }
  search.addEventListener("input", update);
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Expand all";
    for (const card of shown()) for (const part of card.querySelectorAll("details")) part.open = open;
    relabel();
  });
  clear.addEventListener("click", () => {
    search.value = "";
    for (const button of toggles) button.ariaPressed = "false";
    update();
    search.focus();
  });
  one("cards").addEventListener("toggle", relabel, true);

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });

  document.querySelector(".tools").hidden = false;
  update();
})();
