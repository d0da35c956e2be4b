// Shows the last known numbers when there is no line, marked as old. {VERSION}
"use strict";
const PARTS = "parts-{VERSION}";
const PAGES = "pages";
const WORDS = "words"; // what to say without a line, in the languages that were looked at
const MOST = 24; // copies of pages; the oldest go
self.addEventListener("install", (event) => {
  const parts = caches.open(PARTS).then((c) => c.addAll([{PARTS}]));
  event.waitUntil(parts.then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const tidy = caches.keys().then((all) => Promise.all(all.filter((k) => k !== PARTS && k !== PAGES && k !== WORDS).map((k) => caches.delete(k))));
  event.waitUntil(tidy.then(() => self.clients.claim()));
});
const saved = async (request) => {
  const pages = await caches.open(PAGES);
  const copy = await pages.match(request) ?? await pages.match(request, { ignoreSearch: true });
  if (!copy) {
    const lang = new URL(request.url).searchParams.get("lang");
    return (await caches.match(`/offline?lang=${lang}`)) ?? (await caches.match("/offline")) ?? Response.error();
  }
  const html = (await copy.text()).replace("<html ", "<html data-offline ");
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
};
const navigate = async (request) => {
  try {
    const answer = await fetch(request);
    if (answer.ok && (answer.headers.get("content-type") ?? "").startsWith("text/html")) {
      const pages = await caches.open(PAGES);
      await pages.put(request, answer.clone());
      const all = await pages.keys();
      await Promise.all(all.slice(0, -MOST).map((old) => pages.delete(old)));
    }
    return answer;
  } catch {
    return saved(request);
  }
};
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(navigate(request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(caches.match(request).then((hit) => hit ?? fetch(request)));
});
