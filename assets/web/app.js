// Keeps an open page current and remembers, on this device only, what its viewer likes. Everything
// shown is made by the server; this only puts it in place.
"use strict";
(() => {
  const root = document.documentElement;
  const { live, how } = document.body.dataset;
  const store = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      if (value) localStorage.setItem(key, value);
      else localStorage.removeItem(key);
    } catch { /* a browser that keeps nothing works all the same */ }
    return null;
  };

  // Large type and high contrast.
  for (const key of ["large", "strong"]) {
    const box = document.getElementById(key);
    if (!box) continue;
    box.checked = key in root.dataset;
    box.addEventListener("change", () => {
      if (box.checked) root.dataset[key] = "";
      else delete root.dataset[key];
      store(key, box.checked ? "1" : "");
    });
  }
  // One open menu at a time, closed by a click elsewhere or Escape.
  const pops = [...document.querySelectorAll("details.pop")];
  const close = (but) => pops.forEach((p) => { if (p !== but) p.open = false; });
  document.addEventListener("click", (event) => close(event.target.closest("details.pop")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = pops.find((p) => p.open);
    close();
    open?.querySelector("summary").focus();
  });

  // The number: on this device, for today.
  const kept = () => {
    try {
      const today = new Date().toLocaleDateString("sv");
      const all = JSON.parse(store("kept") || "[]");
      return all.filter((k) => typeof k.path === "string" && k.path.startsWith("/offices/") && k.seen === today).slice(-5);
    } catch { return []; }
  };
  const keep = (all) => store("kept", all.length ? JSON.stringify(all) : "");
  const remember = () => {
    const mine = document.getElementById("mine");
    if (!mine || root.dataset.dropped === mine.dataset.keep) return;
    const { keep: path, ticket, of } = mine.dataset;
    const seen = new Date().toLocaleDateString("sv");
    keep([...kept().filter((k) => k.path !== path), { path, ticket, of, seen }]);
  };
  const list = () => {
    const box = document.getElementById("kept");
    if (!box) return;
    const ul = box.querySelector("ul");
    ul.replaceChildren(...kept().map((k) => {
      const li = document.createElement("li");
      const a = document.createElement("a");
      a.href = `${k.path}?lang=${root.lang}`;
      const b = document.createElement("strong");
      b.textContent = k.ticket;
      const of = document.createElement("span");
      of.textContent = k.of;
      a.append(b, " ", of);
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "plain";
      drop.dataset.drop = k.path;
      drop.textContent = ul.dataset.forget;
      drop.setAttribute("aria-label", `${ul.dataset.forget} ${k.ticket}`);
      li.append(a, drop);
      return li;
    }));
    box.hidden = !ul.children.length;
  };
  document.addEventListener("click", (event) => {
    const drop = event.target.closest("[data-drop]");
    if (!drop) return;
    keep(kept().filter((k) => k.path !== drop.dataset.drop));
    root.dataset.dropped = drop.dataset.drop; // this page is not remembered again
    drop.closest(".keep")?.remove();
    list();
  });
  remember();
  list();

  // What is on the screen is the copy to show without a line, marked as old by the worker.
  let savedAt = 0;
  const save = async (now) => {
    if (!("caches" in window) || "offline" in root.dataset || (!now && Date.now() - savedAt < 20000)) return;
    savedAt = Date.now();
    try {
      const pages = await caches.open("pages");
      const html = `<!doctype html>\n${root.outerHTML}`;
      await pages.put(location.href.split("#")[0], new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } }));
    } catch { /* no room: the older copy stays */ }
  };
  if ("serviceWorker" in navigator && top === self) {
    navigator.serviceWorker.register("/sw.js").catch(() => {});
    // What to say without a line, in this language.
    const away = `/offline?lang=${root.lang}`;
    navigator.serviceWorker.ready.then(async () => {
      const words = await caches.open("words");
      if (!(await words.match(away))) await words.add(away);
    }).catch(() => {});
    addEventListener("pagehide", () => save(true));
  }

  const lost = document.getElementById("lost");
  const LOST_AFTER = 10000; // a reconnection takes 3 s; only what lasts is worth a word
  let source, timer, retry = 3000, since = "";
  const say = (text) => {
    if (!lost) return;
    lost.textContent = text;
    lost.hidden = !text;
  };
  if ("offline" in root.dataset) {
    say(lost.dataset.offline);
    addEventListener("online", () => location.reload());
  }
  if (!live || !window.EventSource) return;
  const heard = () => {
    if ("offline" in root.dataset) return location.reload();
    clearTimeout(timer);
    timer = undefined;
    retry = 3000;
    say("");
  };
  const silent = () => {
    if (lost && !("offline" in root.dataset)) timer ??= setTimeout(() => say(lost.dataset.text), LOST_AFTER);
  };

  // Where the focus was, so that a replaced link keeps it.
  const focusIn = (old) => {
    const active = document.activeElement;
    return active && old.contains(active) && active.getAttribute("href");
  };
  const mark = (old, fresh) => {
    for (const cell of fresh.querySelectorAll("[data-key]")) {
      const before = old.querySelector(`[data-key="${cell.dataset.key}"]`);
      if (before && before.textContent !== cell.textContent) cell.classList.add("new");
    }
  };
  const put = (old, fresh) => {
    const href = focusIn(old);
    for (const card of fresh.matches("article") ? [fresh] : fresh.querySelectorAll("article, #office")) {
      const same = document.getElementById(card.id);
      if (same) mark(same, card);
    }
    if (fresh.id === "office") mark(old, fresh);
    // A picture that is already there stays until the newer one is loaded.
    old.replaceWith(fresh);
    if (href) fresh.querySelector(`a[href="${href.replace(/["\\]/g, "\\$&")}"]`)?.focus({ preventScroll: true });
  };

  const replaceParts = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const fresh of [...box.content.children]) {
      const old = document.getElementById(fresh.id);
      if (!old) return location.reload();
      put(old, fresh);
    }
    save();
  };

  // "My number" is personal and comparisons span offices, so the page itself is fetched.
  const fetchPage = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["as-of", "mine", "poll"]) {
      const fresh = page.getElementById(id);
      const old = document.getElementById(id);
      if (fresh && old && old.innerHTML !== fresh.innerHTML) put(old, fresh);
    }
    document.title = page.title;
    save();
  };
  let fetching; // spread over two seconds among many viewers
  const refetch = () => {
    fetching ??= setTimeout(() => {
      fetching = undefined;
      fetchPage().catch(() => {}); // the next change tries again
    }, Math.random() * 2000);
  };

  if (how === "poll") {
    setInterval(() => {
      if (!document.hidden) fetchPage().then(heard, silent);
    }, 30000);
    return;
  }
  const open = () => {
    const url = new URL(live, location.href);
    if (since) url.searchParams.set("since", since);
    source = new EventSource(url);
    source.onopen = heard;
    source.onmessage = (event) => {
      heard();
      since = event.lastEventId;
      if (how === "fetch") refetch();
      else replaceParts(event.data);
    };
    source.onerror = () => {
      silent();
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(open, retry * (0.5 + Math.random()));
        retry = Math.min(retry * 2, 60000);
      }
    };
  };
  open();
})();

// A player that stumbles over the live edge of a video stays where it is: it begins again.
for (const video of document.querySelectorAll("video.stream")) {
  video.addEventListener("error", () => setTimeout(() => video.load(), 2000));
}
