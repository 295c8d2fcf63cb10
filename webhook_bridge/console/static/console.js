// What makes the pages lively. Without it they show the same, and forms and links do the same.
"use strict";
(() => {
  const policy = window.trustedTypes?.createPolicy("zixly", { createHTML: (text) => text });
  const html = (text) => (policy ? policy.createHTML(text) : text);
  const isTyping = (one) => one.closest("input, select, textarea, [contenteditable]") !== null;

  // A part with data-live="address of its stream" is drawn anew by the server whenever it changes.
  for (const part of document.querySelectorAll("[data-live]")) {
    const said = document.querySelector("[data-live-state]");
    const say = (text, isOn) => {
      if (said === null || said.textContent === text) return;
      said.textContent = text;
      said.classList.toggle("on", isOn);
    };
    const source = new EventSource(part.dataset.live);
    source.addEventListener("open", () => say("live", true));
    source.addEventListener("change", (event) => {
      // Nobody's open dialog or focus is taken away from under his hands.
      if (part.contains(document.activeElement) && part.querySelector("details[open]")) return;
      const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      part.innerHTML = html(event.data);
      if (focused) part.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    });
    source.addEventListener("end", (event) => {
      source.close();
      say(event.data, false);
    });
    source.addEventListener("error", () => {
      say(source.readyState === EventSource.CLOSED ? "not live: load the page again" : "connecting again", false);
    });
    window.addEventListener("pagehide", () => source.close());
  }

  // A choice of tenant is taken at once; its button is for those without scripts.
  document.querySelector(".chooser select")?.addEventListener("change", (event) => event.target.form.requestSubmit());

  // Keys: "/" to the first filter, "g" and a letter to a section; of several that begin with it to the one behind where somebody is.
  let isGoing = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const links = [...document.querySelectorAll(".sections a")];
    const here = links.findIndex((link) => link.hasAttribute("aria-current"));
    const behind = [...links.slice(here + 1), ...links.slice(0, here + 1)];
    const goal = behind.find((link) => link.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
    if (isGoing && goal !== undefined) goal.click();
    else if (event.key === "/") {
      event.preventDefault();
      document.querySelector(".filters input, .filters select")?.focus();
    }
    isGoing = !isGoing && event.key === "g";
  });
})();
