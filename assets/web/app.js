// Keeps an open page current. Everything shown is made by the server; this only puts it in place.
"use strict";
(() => {
  const { live, how } = document.body.dataset;
  if (!live || !window.EventSource) return;
  const lost = document.getElementById("lost");
  const LOST_AFTER = 10000; // a reconnection takes 3 s; only what lasts is worth a word
  let source, timer, retry = 3000, since = "";

  const say = (text) => {
    lost.textContent = text;
    lost.hidden = !text;
  };
  const heard = () => {
    clearTimeout(timer);
    timer = undefined;
    retry = 3000;
    say("");
  };
  const silent = () => {
    timer ??= setTimeout(() => say(lost.dataset.text), LOST_AFTER);
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
  };

  // "My number" is personal, so it is fetched; spread over two seconds among many viewers.
  let fetching;
  const refetch = () => {
    fetching ??= setTimeout(async () => {
      fetching = undefined;
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const id of ["as-of", "mine"]) {
          const fresh = page.getElementById(id);
          const old = document.getElementById(id);
          if (fresh && old && old.innerHTML !== fresh.innerHTML) put(old, fresh);
        }
        document.title = page.title;
      } catch { /* the next change tries again */ }
    }, Math.random() * 2000);
  };

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
