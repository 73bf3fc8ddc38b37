// Everything works without this file: it reloads, listens to keys, filters lists and copies.
"use strict";
const root = document.documentElement;
root.classList.add("js");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const first = (selector) => document.querySelector(selector);

// live: the server says which version the files are at; an older page is loaded again
const kept = `scroll ${location.pathname}${location.search}`;
const events = new EventSource("/events");
const live = first("[data-live]");
events.addEventListener("version", (event) => {
  live.textContent = "Live";
  root.classList.remove("lost");
  if (event.data === document.body.dataset.version) return;
  sessionStorage.setItem(kept, String(scrollY));
  location.reload();
});
events.addEventListener("error", () => {
  live.textContent = "Not running";
  root.classList.add("lost");
});
addEventListener("pagehide", () => events.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
const scrolled = sessionStorage.getItem(kept);
if (scrolled) {
  sessionStorage.removeItem(kept);
  scrollTo(0, Number(scrolled));
}

// lists that are filtered while somebody types
for (const input of all("[data-filter]")) {
  const list = first(input.dataset.filter);
  const none = list.parentElement.querySelector(".none");
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    let left = 0;
    for (const item of list.children) {
      item.hidden = !item.dataset.text.toLowerCase().includes(wanted);
      left += item.hidden ? 0 : 1;
    }
    none.hidden = left > 0;
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    const found = [...list.children].find((item) => !item.hidden);
    if (event.key === "ArrowDown" && found) found.querySelector("a").focus();
    if (event.key === "Enter" && found && !input.name) {
      event.preventDefault();
      found.querySelector("a").click();
    }
  });
  if (!input.name) input.form.addEventListener("submit", (event) => event.preventDefault());
}

// the list of recipients: closed by a click elsewhere and by Escape
const pick = first("[data-pick]");
if (pick) {
  const summary = pick.querySelector("summary");
  pick.addEventListener("toggle", () => pick.open && pick.querySelector("#find").focus());
  document.addEventListener("click", (event) => {
    if (!pick.contains(event.target)) pick.open = false;
  });
  pick.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !pick.open) return;
    pick.open = false;
    summary.focus();
  });
}

// forms that need no button
for (const form of all("[data-submit]")) form.addEventListener("change", () => form.requestSubmit());

// a free width is dragged at the corner; the field and the address follow
const stage = first(".stage.free .window");
if (stage) {
  const frame = stage.querySelector("iframe");
  stage.style.width = `${stage.parentElement.dataset.width}px`;
  frame.removeAttribute("width");
  let wait = 0;
  new ResizeObserver(() => {
    const width = Math.round(stage.getBoundingClientRect().width);
    first("#width").value = width;
    clearTimeout(wait);
    wait = setTimeout(() => {
      const url = new URL(location.href);
      url.searchParams.set("width", width);
      history.replaceState(null, "", url);
    }, 250);
  }).observe(stage);
}

// how many findings there are, once somebody can see the page
for (const count of all("[data-count]")) {
  fetch(count.dataset.count).then(async (answer) => {
    count.textContent = await answer.text();
    count.hidden = !count.textContent;
  }, () => {});
}

// copy
for (const button of all("[data-copy]")) {
  button.addEventListener("click", async () => {
    const label = button.lastChild;
    const text = label.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Could not copy";
    }
    setTimeout(() => { label.textContent = text; }, 1500);
  });
}

// keys
const follow = (link) => link && link.click();
const cycle = (selector) => {
  const links = all(selector);
  const now = links.findIndex((link) => link.hasAttribute("aria-current"));
  follow(links[(now + 1) % links.length]);
};
const beside = (step) => {
  const links = all("[data-message]");
  follow(links[links.findIndex((link) => link.hasAttribute("aria-current")) + step]);
};
const keys = {
  "[": () => follow(first('[data-key="["]')),
  "]": () => follow(first('[data-key="]"]')),
  j: () => beside(1),
  k: () => beside(-1),
  d: () => cycle("[data-scheme]"),
  w: () => cycle("[data-device]"),
  "/": () => {
    const side = first("#side");
    if (getComputedStyle(side).display === "none") side.showPopover();
    first("#search").focus();
  },
  p: () => {
    if (!pick) return;
    pick.open = true;
    pick.querySelector("#find").focus();
  },
  "?": () => first("#keys").togglePopover(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const key = event.key;
  const act = keys[key] || (key >= "1" && key <= "9" ? () => follow(all("[data-tab]")[key - 1]) : null);
  if (!act) return;
  event.preventDefault();
  act();
});
